import { describe, expect, test } from 'vitest';
import { PULSE_COUNT, SceneView, sceneBytes, TRAIL_LENGTH } from '../../../src/cli/demo/picture/scene.js';
import { SceneWriter } from '../../../src/cli/demo/picture/scene-writer.js';
import { SpectrumAnalyser } from '../../../src/cli/demo/picture/spectrum.js';

const size = { barCount: 33, wavePoints: 101 };
const newScene = (): SceneView => new SceneView(new ArrayBuffer(sceneBytes(size)), 0, size);

describe('scene', () => {
  test('another view of the memory sees every field, and fields do not overlap', () => {
    const buffer = new SharedArrayBuffer(sceneBytes(size) + 128);
    const writer = new SceneView(buffer, 64, size);
    const arrays = [writer.bars, writer.peaks, writer.wave, writer.trail, writer.pulses];
    let next = 1;
    for (const array of arrays) for (let i = 0; i < array.length; i++) array[i] = next++;
    writer.frameNumber = 123456789;
    writer.buttons = 5;
    writer.pointerX = 0.25;
    writer.pointerY = 0.75;
    writer.level = 0.5;
    writer.timeS = 12.5;
    writer.pulseNext = 3;
    const reader = new SceneView(buffer, 64);
    next = 1;
    for (const array of [reader.bars, reader.peaks, reader.wave, reader.trail, reader.pulses]) {
      for (const value of array) expect(value).toBe(next++);
    }
    expect(reader.barCount).toBe(33);
    expect(reader.wavePoints).toBe(101);
    expect(reader.trail).toHaveLength(TRAIL_LENGTH * 3);
    expect(reader.pulses).toHaveLength(PULSE_COUNT * 3);
    expect([reader.frameNumber, reader.buttons, reader.pointerX, reader.pointerY]).toEqual([123456789, 5, 0.25, 0.75]);
    expect([reader.level, reader.timeS, reader.pulseNext]).toEqual([0.5, 12.5, 3]);
    const bytes = new Uint8Array(buffer);
    expect(bytes.subarray(0, 64).every((byte) => byte === 0)).toBe(true);
    expect(bytes.subarray(64 + sceneBytes(size)).every((byte) => byte === 0)).toBe(true);
  });

  test('refuses memory that holds no scene, is too small or misplaced, and sizes out of range', () => {
    expect(() => new SceneView(new ArrayBuffer(4096))).toThrow(/no scene at byte 0/);
    expect(() => new SceneView(new ArrayBuffer(sceneBytes(size) - 64), 0, size)).toThrow(/expected room for it/);
    expect(() => new SceneView(new ArrayBuffer(8192), 2, size)).toThrow(/a multiple of 4/);
    expect(() => new SceneView(new ArrayBuffer(8192), 0, { barCount: 0, wavePoints: 10 })).toThrow(/0 bars/);
    expect(() => new SceneView(new ArrayBuffer(8192), 0, { barCount: 5, wavePoints: Number.NaN })).toThrow(/NaN wave/);
  });

  test('the trail holds where the pointer was, newest first and fading', () => {
    const writer = new SceneWriter(newScene());
    for (let frame = 0; frame < 60; frame++) {
      writer.pointer(frame / 60, 0.5, 1);
      writer.advance(1 / 60, frame);
    }
    const { trail, frameNumber } = writer.scene;
    expect(frameNumber).toBe(59);
    for (let i = 0; i < TRAIL_LENGTH; i++) {
      expect(trail[i * 3]).toBeCloseTo((59 - i) / 60, 6);
      expect(trail[i * 3 + 2]).toBeCloseTo(0.08 ** (i / 60), 5);
    }
  });

  test('a press within one frame still shows as a stroke', () => {
    const writer = new SceneWriter(newScene());
    writer.pointer(0.5, 0.5, 1);
    writer.pointer(0.5, 0.5, 0);
    writer.advance(1 / 60, 0);
    expect(writer.scene.trail[2]).toBe(1);
    writer.advance(1 / 60, 1);
    expect(writer.scene.trail[2]).toBeLessThan(0.5);
  });

  test('key pulses start where the key lies, fade out, and the oldest gives way', () => {
    const writer = new SceneWriter(newScene());
    writer.key('a');
    writer.key('l');
    writer.advance(0.1, 0);
    const { pulses } = writer.scene;
    expect(pulses[0]).toBeCloseTo(0.5 / 9, 6);
    expect(pulses[3]).toBeCloseTo(8.5 / 9, 6);
    expect(pulses[2]).toBeGreaterThan(0.8);
    for (let i = 0; i < PULSE_COUNT - 1; i++) writer.key('g');
    expect(pulses[0]).toBeCloseTo(4.5 / 9, 6);
    writer.advance(2, 1);
    for (let i = 0; i < PULSE_COUNT; i++) expect(pulses[i * 3 + 2]).toBe(0);
  });

  test('a steady tone stands still, whichever sample is newest', () => {
    const tone = Float32Array.from({ length: 4096 }, (_, i) => Math.sin((2 * Math.PI * (i + 0.5)) / 64));
    const analyser = new SpectrumAnalyser({ sampleRateHz: 48_000, barCount: size.barCount });
    for (const end of [1000, 1013, 1031, 4096]) {
      const writer = new SceneWriter(newScene());
      writer.sound(analyser, tone, end);
      const { wave, level } = writer.scene;
      for (let i = 0; i < wave.length; i++) {
        expect(wave[i]).toBeCloseTo((tone[(i * 2) % 64]! + tone[(i * 2 + 1) % 64]!) / 2, 4);
      }
      expect(level).toBe(1);
    }
  });
});
