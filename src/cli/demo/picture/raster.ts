import { LAYOUT, REFERENCE_HEIGHT } from './layout.js';
import type { SceneView } from './scene.js';
import { TileColumns } from './tile-columns.js';
import { TileLights } from './tile-lights.js';
import { WaveRow } from './wave-row.js';

const SCRATCH_PIXELS = 128 * 128;
// per thread; only ever used within one call
const columns = new TileColumns(128);
const lights = new TileLights(SCRATCH_PIXELS);
const waveRow = new WaveRow(128);

/**
 * Draws one tile of the picture: a night sky that glows with the loudness, spectrum bars with peak marks and their
 * reflection, the waveform as an anti-aliased line, key pulses, the pointer and its trail. A pixel's value depends on
 * its place in the picture, the picture's size and the scene only: tiles of any shape join without a seam, and the same
 * scene gives the same bytes in any thread.
 *
 * Light is added up in linear units and mapped to 8 bits by Reinhard's curve (Reinhard et al., "Photographic tone
 * reproduction for digital images", SIGGRAPH 2002) with gamma 2; interleaved gradient noise (Jimenez, "Next generation
 * post processing in Call of Duty: Advanced Warfare", SIGGRAPH 2014) of one step hides the banding.
 *
 * Allocates nothing, unless the tile is larger than 128 by 128 and than any before it in this thread.
 *
 * @param pixels RGBA, 8 bits each, alpha always 255
 * @param strideBytes from one row to the next in `pixels`
 * @param tileX left column of the tile in the picture; with `tileY`, `tileWidth`, `tileHeight` in whole pixels
 * @param offsetBytes where the tile's first pixel lies in `pixels`: 0 for a buffer of the tile's own
 */
export function renderTile(
  pixels: Uint8Array,
  strideBytes: number,
  tileX: number,
  tileY: number,
  tileWidth: number,
  tileHeight: number,
  imageWidth: number,
  imageHeight: number,
  scene: SceneView,
  offsetBytes = 0,
): void {
  columns.reserve(tileWidth);
  waveRow.reserve(tileWidth);
  lights.reserve(tileWidth * tileHeight);
  columns.prepare(tileX, tileWidth, imageWidth, imageHeight, scene);
  lights.prepare(tileX, tileY, tileWidth, tileHeight, imageWidth, imageHeight, scene);
  for (let row = 0; row < tileHeight; row++) {
    const start = offsetBytes + row * strideBytes;
    renderRow(pixels, start, tileX, tileY + row, tileWidth, row * tileWidth, imageHeight, scene);
  }
}

function renderRow(
  pixels: Uint8Array,
  start: number,
  tileX: number,
  imageY: number,
  tileWidth: number,
  lightStart: number,
  imageHeight: number,
  scene: SceneView,
): void {
  // fields in locals: the engine would load them again for every pixel, since it cannot know that stores to `pixels` leave them alone
  const { barHeight, peakHeight, glowHeight, cover, red, green, blue, offCentre } = columns;
  const { any: hasLights, warm, cool } = lights;
  const unit = imageHeight / REFERENCE_HEIGHT;
  const y = imageY + 0.5;
  const level = scene.level;

  const horizon = LAYOUT.horizonY * imageHeight;
  const fullHeight = LAYOUT.barsHeight * imageHeight;
  const above = horizon - y; // above the horizon, in pixels; below it, negative
  const isReflection = above < 0;
  // below the horizon the bars are seen shortened and fading
  const floorDepth = imageHeight - horizon;
  const up = isReflection ? -above * 2.4 : above;
  const reflected = isReflection ? 0.3 * Math.max(0, 1 + above / floorDepth) ** 1.5 : 1;

  const skyShare = Math.max(0, 1 - above / horizon);
  const glowOfSky = isReflection ? 0.45 * (1 + above / floorDepth) : skyShare * skyShare * skyShare;
  const pulse = 0.6 + 1.6 * level;
  let skyRed = 0.0018 + 0.02 * glowOfSky * pulse;
  let skyGreen = 0.0024 + 0.004 * glowOfSky * pulse;
  let skyBlue = 0.009 + 0.05 * glowOfSky * pulse;
  // the horizon itself, a fine bright line
  const line = 0.35 * Math.exp(-Math.abs(above) / (1.6 * unit));
  skyRed += 0.35 * line;
  skyGreen += 0.22 * line;
  skyBlue += 0.55 * line;
  // grid lines at quarters of the bars' height
  if (!isReflection && above < fullHeight * 1.02) {
    const quarter = fullHeight / 4;
    const off = Math.abs(above - Math.round(above / quarter) * quarter);
    const grid = 0.012 * Math.max(0, 1 - off / (0.9 * unit));
    skyRed += grid;
    skyGreen += grid * 1.1;
    skyBlue += grid * 1.7;
  }

  const glowReach = 1 / (26 * unit);
  const markHalf = Math.max(0.5, 0.8 * unit);
  const waveMiddle = LAYOUT.waveY * imageHeight;
  // beyond this nothing of the waveform is to be seen
  const nearWave = Math.abs(y - waveMiddle) < (LAYOUT.waveHeight + 0.12) * imageHeight;
  if (nearWave) waveRow.prepare(columns, tileWidth, y, Math.max(0.55, 0.95 * unit), 1 / (7 * unit));
  const waveLight = waveRow.light;
  const fromMiddle = (2 * y) / imageHeight - 1;
  const offCentreY = fromMiddle * fromMiddle;

  let index = start;
  for (let column = 0; column < tileWidth; column++) {
    let r = skyRed;
    let g = skyGreen;
    let b = skyBlue;

    // bars: brighter towards the top, then the peak's mark, and a glow around the whole
    const height = barHeight[column]!;
    const glow = glowHeight[column]!;
    const strength = glow / fullHeight;
    const beyond = up > glow ? (up - glow) * glowReach : 0;
    let bars = ((0.05 + 0.5 * strength) * strength * reflected) / (1 + beyond * beyond * 3);
    const covered = cover[column]!;
    if (covered > 0) {
      const fill = height - up + 0.5;
      if (fill > 0) {
        const lit = 0.2 + (1.5 * up) / fullHeight + 0.9 * Math.max(0, 1 - (height - up) / (5 * unit));
        bars += covered * reflected * Math.min(fill, 1) * lit;
      }
      const mark = markHalf + 0.5 - Math.abs(up - peakHeight[column]! - markHalf);
      if (mark > 0 && peakHeight[column]! > 1) bars += covered * reflected * 0.9 * Math.min(mark, 1);
    }
    r += bars * red[column]!;
    g += bars * green[column]!;
    b += bars * blue[column]!;

    if (nearWave) {
      const wave = waveLight[column]!;
      r += wave * 0.3;
      g += wave * 1.05;
      b += wave * 1.2;
    }

    if (hasLights) {
      const warmth = warm[lightStart + column]!;
      const coolness = cool[lightStart + column]!;
      r += warmth * 2 + coolness * 0.25;
      g += warmth * 0.62 + coolness * 0.8;
      b += warmth * 0.1 + coolness * 1.2;
    }

    const vignette = 1 - 0.3 * (offCentre[column]! + offCentreY) * 0.5;
    r *= vignette;
    g *= vignette;
    b *= vignette;
    const noise = gradientNoise(tileX + column, imageY);
    pixels[index] = toByte(r, noise);
    pixels[index + 1] = toByte(g, noise);
    pixels[index + 2] = toByte(b, noise);
    pixels[index + 3] = 255;
    index += 4;
  }
}

function gradientNoise(x: number, y: number): number {
  const inner = 0.06711056 * x + 0.00583715 * y;
  const outer = 52.9829189 * (inner - Math.floor(inner));
  return outer - Math.floor(outer);
}

function toByte(light: number, noise: number): number {
  const value = 255 * Math.sqrt((1.25 * light) / (1 + light)) + noise;
  return value >= 255 ? 255 : value | 0;
}
