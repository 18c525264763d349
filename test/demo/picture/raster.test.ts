import fc from 'fast-check';
import { decode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { encodePng } from '../../../src/cli/demo/picture/png.js';
import { renderTile } from '../../../src/cli/demo/picture/raster.js';
import { SceneView, sceneBytes } from '../../../src/cli/demo/picture/scene.js';
import { SceneWriter } from '../../../src/cli/demo/picture/scene-writer.js';
import { SpectrumAnalyser } from '../../../src/cli/demo/picture/spectrum.js';

const size = { barCount: 48, wavePoints: 256 };

/** A lively scene: sound, a curved trail through the picture, keys struck at different times. */
function busyScene(seed: number): SceneView {
  const scene = new SceneView(new SharedArrayBuffer(sceneBytes(size)), 0, size);
  const writer = new SceneWriter(scene);
  const analyser = new SpectrumAnalyser({ sampleRateHz: 48_000, barCount: size.barCount });
  const history = Float32Array.from(
    { length: 4096 },
    (_, i) => 0.4 * Math.sin(i * 0.05 * (1 + seed / 7)) + 0.3 * Math.sin(i * 0.31) + 0.2 * Math.sin(i * 1.7 + seed),
  );
  for (let frame = 0; frame < 40; frame++) {
    if (frame % 9 === 0) writer.key('asdfghjkl'[(frame + seed) % 9]!);
    const t = frame / 20 + seed;
    writer.pointer(0.5 + 0.5 * Math.sin(t * 1.3), 0.5 + 0.5 * Math.cos(t * 1.9), frame % 30 < 22 ? 1 : 0);
    analyser.analyse(history);
    writer.sound(analyser, history);
    writer.advance(1 / 60, frame);
  }
  return scene;
}

function whole(width: number, height: number, scene: SceneView): Uint8Array {
  const pixels = new Uint8Array(width * height * 4);
  renderTile(pixels, width * 4, 0, 0, width, height, width, height, scene);
  return pixels;
}

/** Mean light of a part of the picture, given in shares of it. */
function light(pixels: Uint8Array, width: number, height: number, x: number, y: number, reach = 3): number {
  let sum = 0;
  let count = 0;
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const index = ((Math.round(y * height) + dy) * width + Math.round(x * width) + dx) * 4;
      sum += pixels[index]! + pixels[index + 1]! + pixels[index + 2]!;
      count += 3;
    }
  }
  return sum / count;
}

describe('picture', () => {
  test('tiles of any shape make up exactly the picture drawn in one go', () => {
    const scenes = [1, 2, 3].map(busyScene);
    fc.assert(
      fc.property(
        fc.constantFrom(...scenes),
        fc.integer({ min: 8, max: 150 }),
        fc.integer({ min: 8, max: 100 }),
        fc.integer({ min: 5, max: 70 }),
        fc.integer({ min: 5, max: 70 }),
        (scene, width, height, tileWidth, tileHeight) => {
          const expected = whole(width, height, scene);
          const pixels = new Uint8Array(width * height * 4);
          for (let y = 0; y < height; y += tileHeight) {
            for (let x = 0; x < width; x += tileWidth) {
              const w = Math.min(tileWidth, width - x);
              const h = Math.min(tileHeight, height - y);
              // every other tile by way of a buffer of its own
              if ((x / tileWidth + y / tileHeight) % 2 === 0) {
                renderTile(pixels, width * 4, x, y, w, h, width, height, scene, (y * width + x) * 4);
              } else {
                const own = new Uint8Array(w * h * 4);
                renderTile(own, w * 4, x, y, w, h, width, height, scene);
                for (let row = 0; row < h; row++) {
                  pixels.set(own.subarray(row * w * 4, (row + 1) * w * 4), ((y + row) * width + x) * 4);
                }
              }
            }
          }
          expect(Buffer.compare(pixels, expected)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a tile writes its own pixels only', () => {
    const scene = busyScene(4);
    const pixels = new Uint8Array(40 * 30 * 4).fill(7);
    renderTile(pixels, 40 * 4, 100, 50, 16, 8, 320, 180, scene, (3 * 40 + 5) * 4);
    for (let y = 0; y < 30; y++) {
      for (let x = 0; x < 40; x++) {
        const inside = x >= 5 && x < 21 && y >= 3 && y < 11;
        expect(pixels[(y * 40 + x) * 4 + 3]).toBe(inside ? 255 : 7);
      }
    }
  });

  test('the pointer, a bar, the waveform and a pulse each give light where they are, and nowhere far away', () => {
    const [width, height] = [320, 180];
    const scene = new SceneView(new ArrayBuffer(sceneBytes(size)), 0, size);
    scene.pointerX = 0.1;
    scene.pointerY = 0.1;
    const before = whole(width, height, scene);
    const draw = (change: (s: SceneView) => void): Uint8Array => {
      const other = new SceneView(new ArrayBuffer(sceneBytes(size)), 0, size);
      other.copyFrom(scene);
      change(other);
      return whole(width, height, other);
    };
    const gain = (pixels: Uint8Array, x: number, y: number): number =>
      light(pixels, width, height, x, y) - light(before, width, height, x, y);

    const pointer = draw((s) => {
      s.pointerX = 0.8;
      s.pointerY = 0.6;
    });
    expect(gain(pointer, 0.8, 0.6)).toBeGreaterThan(40);
    expect(gain(pointer, 0.1, 0.1)).toBeLessThan(-40);
    expect(gain(pointer, 0.4, 0.6)).toBe(0);

    const bar = draw((s) => {
      s.bars[24] = 0.9;
    });
    expect(gain(bar, 0.51, 0.7)).toBeGreaterThan(20);
    expect(gain(bar, 0.9, 0.7)).toBe(0);

    const wave = draw((s) => s.wave.fill(0.8));
    const waveTop = 0.26 - 0.8 * 0.17;
    expect(gain(wave, 0.5, waveTop)).toBeGreaterThan(40);
    expect(gain(wave, 0.5, 0.26)).toBeLessThan(-40);

    const pulse = draw((s) => s.pulses.set([0.5, 0.2, 0.8]));
    const radius = (0.2 * 165) / 360; // shares of the height
    expect(gain(pulse, 0.5, 0.26 + radius)).toBeGreaterThan(10);
    expect(gain(pulse, 0.5, 0.26)).toBe(0);
  });

  test('a scene of extremes gives a picture all the same', () => {
    const scene = busyScene(5);
    scene.bars.fill(1);
    scene.wave.fill(-1);
    scene.level = 1;
    const pixels = whole(64, 36, scene);
    expect(new Set(pixels.filter((_, i) => i % 4 === 3))).toEqual(new Set([255]));
    expect(whole(1, 1, scene)).toHaveLength(4);
  });
});

describe('PNG', () => {
  test('holds the pixels that were given, shared memory included', () => {
    const rgba = new Uint8Array(new SharedArrayBuffer(37 * 11 * 4));
    renderTile(rgba, 37 * 4, 0, 0, 37, 11, 37, 11, busyScene(6));
    const png = decode(encodePng(37, 11, rgba));
    expect([png.width, png.height, png.channels, png.depth]).toEqual([37, 11, 4, 8]);
    expect(Buffer.compare(new Uint8Array(png.data), new Uint8Array(rgba))).toBe(0);
  });

  test('refuses sizes that do not agree', () => {
    expect(() => encodePng(2, 2, new Uint8Array(15))).toThrow(/15 bytes; expected 16/);
    expect(() => encodePng(0, 2, new Uint8Array(0))).toThrow(/OPTION_INVALID/);
    expect(() => encodePng(1.5, 2, new Uint8Array(12))).toThrow(/OPTION_INVALID/);
  });
});
