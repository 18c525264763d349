import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BLOCK, dirtyPorts, ramp, ringWithClock } from './support.js';

interface Processor {
  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean;
}
type ProcessorClass = new (options: unknown) => Processor;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

async function loadWorklet(register?: (name: string) => void) {
  const registered = new Map<string, ProcessorClass>();
  const messages: unknown[] = [];
  vi.stubGlobal(
    'AudioWorkletProcessor',
    class {
      port = { postMessage: (message: unknown) => messages.push(message) };
    },
  );
  vi.stubGlobal('registerProcessor', (name: string, processor: ProcessorClass) => {
    register?.(name);
    registered.set(name, processor);
  });
  vi.stubGlobal('currentFrame', 0);
  // an AudioWorkletGlobalScope has none
  vi.stubGlobal('performance', undefined);
  await import('../../src/web-audio/worklet.js');
  return { registered, messages };
}

describe('the worklet module', () => {
  it('registers a processor that plays a ring, says once that it ended, and then only returns false', async () => {
    const { registered, messages } = await loadWorklet();
    const { ring, clock } = ringWithClock({ channels: 2 });
    const producer = ring.producer();
    ring.consumer(); // as the page does
    const processor = new (registered.get('frame-deadline-playback-1')!)({
      processorOptions: { ring: ring.buffer, clock: clock.buffer, maxDepthSampleFrames: 0 },
    });
    producer.write(ramp(0, 128, 2), 0, 128);
    producer.close();
    const outputs = dirtyPorts(2);
    expect(processor.process([], outputs)).toBe(true);
    expect(outputs[0]![1]![127]).toBe(256);
    expect(messages).toEqual([]);
    for (let i = 0; i < 3; i++) expect(processor.process([], outputs)).toBe(false);
    expect(messages).toEqual(['ended']);
  });

  it('registers a processor that records into a ring', async () => {
    const { registered, messages } = await loadWorklet();
    const { ring, clock } = ringWithClock({ channels: 2 });
    const processor = new (registered.get('frame-deadline-capture-1')!)({
      processorOptions: { ring: ring.buffer, clock: clock.buffer },
    });
    const input = [new Float32Array(BLOCK).fill(1), new Float32Array(BLOCK).fill(2)];
    const output = [[new Float32Array(BLOCK)]];
    expect(processor.process([input], output)).toBe(true);
    const got = new Float32Array(2 * BLOCK);
    expect(ring.consumer().read(got, 0, BLOCK)).toBe(BLOCK);
    expect(got.subarray(0, 4)).toEqual(Float32Array.of(1, 2, 1, 2));
    clock.requestClose();
    for (let i = 0; i < 3; i++) expect(processor.process([input], output)).toBe(false);
    expect(messages).toEqual(['ended']);
  });

  it('may be loaded twice, from two copies of the package, but hides no other fault', async () => {
    const refuse = (name: string) => () => {
      throw Object.assign(new Error('refused'), { name });
    };
    await loadWorklet(refuse('NotSupportedError'));
    vi.resetModules();
    await expect(loadWorklet(refuse('TypeError'))).rejects.toThrow('refused');
  });

  it('is one file, without imports, waits and clocks', () => {
    const source = readFileSync(new URL('../../dist/web-audio/worklet.js', import.meta.url), 'utf8');
    expect(source).toMatch(/registerProcessor/);
    expect(source).not.toMatch(/^\s*import\b|\bimport\(|Atomics\.wait|\bperformance\b|\beval\b/m);
  });
});
