import { LAYOUT, REFERENCE_HEIGHT } from './layout.js';
import { PULSE_COUNT, type SceneView, TRAIL_LENGTH } from './scene.js';

/** Every light ends at a radius where it is exactly 0, so that leaving out the tiles beyond it shows nowhere. */
const POINTER_GLOW_RADIUS = 84;
const PULSE_HALF_WIDTH = 7;
const PULSE_SPEED = 165;

/**
 * Light of the pointer, its trail and the key pulses on the tile at hand, one value a pixel and kind. `any` is false
 * when none of it reaches the tile.
 */
export class TileLights {
  any: boolean;
  /** Warm light: the trail, and the pointer while a button is held. */
  warm: Float32Array;
  /** Cool light: the pointer at rest, pulses. */
  cool: Float32Array;

  constructor(capacity: number) {
    this.any = false;
    this.warm = new Float32Array(capacity);
    this.cool = new Float32Array(capacity);
  }

  /** Makes room for tiles of `pixels`; allocates only where they are larger than any before. */
  reserve(pixels: number): void {
    if (pixels <= this.warm.length) return;
    this.warm = new Float32Array(pixels);
    this.cool = new Float32Array(pixels);
  }

  prepare(
    tileX: number,
    tileY: number,
    tileWidth: number,
    tileHeight: number,
    imageWidth: number,
    imageHeight: number,
    scene: SceneView,
  ): void {
    this.any = false;
    // indices and whole pixels only are passed on: engines box fractions that go through a call
    for (let i = 0; i < TRAIL_LENGTH - 1; i++) {
      this.addTrail(tileX, tileY, tileWidth, tileHeight, imageWidth, imageHeight, scene, i);
    }
    for (let i = 0; i < PULSE_COUNT; i++) {
      this.addRing(tileX, tileY, tileWidth, tileHeight, imageWidth, imageHeight, scene, i);
    }
    this.addPointer(tileX, tileY, tileWidth, tileHeight, imageWidth, imageHeight, scene);
  }

  private begin(tileWidth: number, tileHeight: number): void {
    if (this.any) return;
    this.any = true;
    this.warm.fill(0, 0, tileWidth * tileHeight);
    this.cool.fill(0, 0, tileWidth * tileHeight);
  }

  /** A capsule from a to b; where several overlap the brightest counts, so that joints do not show. */
  private addTrail(
    tileX: number,
    tileY: number,
    tileWidth: number,
    tileHeight: number,
    imageWidth: number,
    imageHeight: number,
    scene: SceneView,
    segment: number,
  ): void {
    const trail = scene.trail;
    const base = segment * 3;
    const strength = trail[base + 2]!;
    // none yet, or a segment whose other end is none
    if (strength < 0.02 || trail[base + 5]! <= 0) return;
    const ax = trail[base]! * imageWidth;
    const ay = trail[base + 1]! * imageHeight;
    const bx = trail[base + 3]! * imageWidth;
    const by = trail[base + 4]! * imageHeight;
    const radius = ((1.5 + 7.5 * strength) * imageHeight) / REFERENCE_HEIGHT;
    const left = Math.max(0, Math.floor(Math.min(ax, bx) - radius) - tileX);
    const right = Math.min(tileWidth, Math.ceil(Math.max(ax, bx) + radius) + 1 - tileX);
    const top = Math.max(0, Math.floor(Math.min(ay, by) - radius) - tileY);
    const bottom = Math.min(tileHeight, Math.ceil(Math.max(ay, by) + radius) + 1 - tileY);
    if (left >= right || top >= bottom) return;
    this.begin(tileWidth, tileHeight);
    const warm = this.warm;
    const dx = bx - ax;
    const dy = by - ay;
    const lengthSquared = dx * dx + dy * dy;
    const perLength = lengthSquared > 1e-9 ? 1 / lengthSquared : 0;
    const perRadius = 1 / (radius * radius);
    for (let row = top; row < bottom; row++) {
      const py = tileY + row + 0.5 - ay;
      for (let column = left; column < right; column++) {
        const px = tileX + column + 0.5 - ax;
        const along = Math.min(1, Math.max(0, (px * dx + py * dy) * perLength));
        const ex = px - along * dx;
        const ey = py - along * dy;
        const fade = 1 - (ex * ex + ey * ey) * perRadius;
        if (fade <= 0) continue;
        const light = strength * fade * fade;
        const index = row * tileWidth + column;
        if (light > warm[index]!) warm[index] = light;
      }
    }
  }

  private addRing(
    tileX: number,
    tileY: number,
    tileWidth: number,
    tileHeight: number,
    imageWidth: number,
    imageHeight: number,
    scene: SceneView,
    pulse: number,
  ): void {
    const pulses = scene.pulses;
    const fading = pulses[pulse * 3 + 2]!;
    if (!(fading > 0)) return;
    const strength = 0.55 * fading * fading;
    const unit = imageHeight / REFERENCE_HEIGHT;
    const x = pulses[pulse * 3]! * imageWidth;
    const y = LAYOUT.waveY * imageHeight;
    const radius = pulses[pulse * 3 + 1]! * PULSE_SPEED * unit;
    const halfWidth = PULSE_HALF_WIDTH * unit;
    const reach = radius + halfWidth;
    const left = Math.max(0, Math.floor(x - reach) - tileX);
    const right = Math.min(tileWidth, Math.ceil(x + reach) + 1 - tileX);
    const top = Math.max(0, Math.floor(y - reach) - tileY);
    const bottom = Math.min(tileHeight, Math.ceil(y + reach) + 1 - tileY);
    if (left >= right || top >= bottom) return;
    this.begin(tileWidth, tileHeight);
    const cool = this.cool;
    for (let row = top; row < bottom; row++) {
      const py = tileY + row + 0.5 - y;
      for (let column = left; column < right; column++) {
        const px = tileX + column + 0.5 - x;
        const off = (Math.sqrt(px * px + py * py) - radius) / halfWidth;
        const fade = 1 - off * off;
        if (fade <= 0) continue;
        const index = row * tileWidth + column;
        cool[index] = cool[index]! + strength * fade * fade * fade;
      }
    }
  }

  /** A small ring with a dot (a disc while a button is held) in a wide soft glow. */
  private addPointer(
    tileX: number,
    tileY: number,
    tileWidth: number,
    tileHeight: number,
    imageWidth: number,
    imageHeight: number,
    scene: SceneView,
  ): void {
    const unit = imageHeight / REFERENCE_HEIGHT;
    const x = scene.pointerX * imageWidth;
    const y = scene.pointerY * imageHeight;
    const held = scene.buttons !== 0;
    const reach = POINTER_GLOW_RADIUS * unit;
    const left = Math.max(0, Math.floor(x - reach) - tileX);
    const right = Math.min(tileWidth, Math.ceil(x + reach) + 1 - tileX);
    const top = Math.max(0, Math.floor(y - reach) - tileY);
    const bottom = Math.min(tileHeight, Math.ceil(y + reach) + 1 - tileY);
    if (left >= right || top >= bottom) return;
    this.begin(tileWidth, tileHeight);
    const layer = held ? this.warm : this.cool;
    const glow = held ? 0.32 : 0.2;
    const ringRadius = (held ? 9 : 7) * unit;
    const dotRadius = (held ? 5 : 2) * unit;
    const lineHalf = Math.max(0.6, 0.9 * unit);
    for (let row = top; row < bottom; row++) {
      const py = tileY + row + 0.5 - y;
      for (let column = left; column < right; column++) {
        const px = tileX + column + 0.5 - x;
        const distance = Math.sqrt(px * px + py * py);
        const out = distance / reach;
        if (out >= 1) continue;
        const fade = 1 - out;
        const near = fade * fade;
        const ring = clampUnit(lineHalf + 0.5 - Math.abs(distance - ringRadius));
        const dot = clampUnit(dotRadius + 0.5 - distance);
        const index = row * tileWidth + column;
        layer[index] = layer[index]! + glow * near * near * near * (1 + fade) + 1.6 * Math.max(ring, dot);
      }
    }
  }
}

function clampUnit(value: number): number {
  return value < 0 ? 0 : Math.min(value, 1);
}
