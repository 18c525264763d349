import { execFileSync } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockSource } from '../../../src/cli/demo/audio/block-source.js';
import { AudioChain } from '../../../src/cli/demo/audio/chain.js';
import type { DecodedAudio } from '../../../src/cli/demo/audio/decoded-audio.js';
import { NoiseSource } from '../../../src/cli/demo/audio/noise.js';
import { type ParameterChange, renderOffline, renderOfflineBlocks } from '../../../src/cli/demo/audio/offline.js';
import { PARAMETERS, ParameterId, parameterId } from '../../../src/cli/demo/audio/parameters.js';
import { truePeak16 } from './true-peak-meter.js';

const builtFolder = new URL('../../../dist/cli/demo/audio/', import.meta.url);

function noiseAudio(channels: number, sampleFrames: number, sampleRateHz: number, seed = 1): DecodedAudio {
  const noise = new NoiseSource(seed);
  const data = Array.from({ length: channels }, () => Float32Array.from({ length: sampleFrames }, () => noise.next()));
  return { sampleRateHz, channels, sampleFrames, data, format: 'float32', warnings: [] };
}

const bitsOf = (samples: Float32Array): Uint8Array =>
  new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);

const anyChange = (blocks: number): fc.Arbitrary<ParameterChange> =>
  fc.integer({ min: 0, max: PARAMETERS.length - 1 }).chain((parameter) =>
    fc.record({
      block: fc.integer({ min: 0, max: blocks - 1 }),
      parameter: fc.constant(parameter),
      // beyond the range too: it counts as its end
      value: fc.double({
        min: PARAMETERS[parameter]!.min - 1,
        max: PARAMETERS[parameter]!.max * 1.1 + 1,
        noNaN: true,
      }),
    }),
  );

const anyCase = fc.record({
  channels: fc.integer({ min: 1, max: 8 }),
  sampleRateHz: fc.constantFrom(8000, 22_050, 44_100, 48_000, 96_000, 192_000),
  sampleFrames: fc.integer({ min: 1, max: 3000 }),
  seed: fc.integer(),
  pastEnd: fc.constantFrom('silence' as const, 'loop' as const),
  changes: fc.array(anyChange(24), { maxLength: 30 }),
});

describe('chain: streaming and offline', () => {
  it('are bit-identical for any changes, rates and channel counts', () => {
    fc.assert(
      fc.property(anyCase, ({ channels, sampleRateHz, sampleFrames, seed, pastEnd, changes }) => {
        const blocks = 24;
        const audio = noiseAudio(channels, sampleFrames, sampleRateHz, seed);
        // streamed: by a chain that was used before, reading planes of its own, in place, changes as they come
        const chain = new AudioChain({ sampleRateHz, channels });
        chain.setParameter(ParameterId.inputGainDb, 9);
        const source = new BlockSource(audio, { pastEnd });
        for (let b = 0; b < 3; b++) chain.process(source.block(b + 5), noiseAudio(channels, 128, 8000).data);
        chain.reset();
        const planes = Array.from({ length: channels }, () => new Float32Array(128));
        const streamed = new Float32Array(blocks * 128 * channels);
        for (let b = 0; b < blocks; b++) {
          for (const change of changes) if (change.block === b) chain.setParameter(change.parameter, change.value);
          source.copyBlock(b, planes);
          chain.process(planes, planes);
          planes.forEach((plane, c) => {
            plane.forEach((value, i) => {
              streamed[(b * 128 + i) * channels + c] = value;
            });
          });
        }
        const offline = renderOffline(audio, changes, blocks, { pastEnd });
        expect(offline.every(Number.isFinite)).toBe(true);
        expect(bitsOf(offline)).toEqual(bitsOf(streamed));
      }),
      { numRuns: 40 },
    );
  });

  it('differ when a change moves by one block', () => {
    const audio = noiseAudio(2, 3000, 48_000);
    const change = { parameter: parameterId('eq.mid.gain'), value: 6 };
    const a = renderOffline(audio, [{ ...change, block: 4 }], 20);
    const b = renderOffline(audio, [{ ...change, block: 5 }], 20);
    expect(bitsOf(a)).not.toEqual(bitsOf(b));
    expect(bitsOf(a.subarray(0, 4 * 256))).toEqual(bitsOf(b.subarray(0, 4 * 256)));
  });

  it('hands over block by block what it renders at once', () => {
    const audio = noiseAudio(3, 1000, 44_100);
    const whole = renderOffline(audio, [], 8);
    const indices: number[] = [];
    renderOfflineBlocks(audio, [], 8, (samples, block) => {
      indices.push(block);
      expect(bitsOf(samples.slice())).toEqual(bitsOf(whole.slice(block * 384, (block + 1) * 384)));
    });
    expect(indices).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('are bit-identical in another thread, compiled or not', async () => {
    const audio = noiseAudio(2, 40_000, 48_000);
    const changes = PARAMETERS.map(({ id, min, max }) => ({ block: id * 9, parameter: id, value: (min + max) / 2 }));
    const here = renderOffline(audio, changes, 300);
    // the worker renders cold, the loop above warm; once more in the worker: warm there
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads');
       import(workerData.url).then(({ renderOffline }) => {
         for (let n = 0; n < 3; n++) parentPort.postMessage(renderOffline(workerData.audio, workerData.changes, 300));
       });`,
      { eval: true, workerData: { url: new URL('offline.js', builtFolder).href, audio, changes } },
    );
    const results: Float32Array[] = [];
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (result: Float32Array) => results.push(result));
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
    expect(results.length).toBe(3);
    for (const result of results) expect(bitsOf(result)).toEqual(bitsOf(here));
  });
});

describe('chain', () => {
  it('stays under the ceiling with any settings', () => {
    fc.assert(
      fc.property(
        fc.array(anyChange(30), { maxLength: 20 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer(),
        (all, channels, seed) => {
          const changes = all.filter(({ parameter }) => parameter !== ParameterId.limiterCeilingDb);
          const rendered = renderOffline(noiseAudio(channels, 128 * 40, 48_000, seed), changes, 40);
          for (let c = 0; c < channels; c++) {
            const plane = rendered.filter((_, i) => i % channels === c);
            expect(20 * Math.log10(truePeak16(plane))).toBeLessThanOrEqual(-1);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is a delay of latencySampleFrames while nothing is to be done', () => {
    for (const sampleRateHz of [8000, 48_000, 192_000]) {
      const audio = noiseAudio(2, 2560, sampleRateHz);
      const chain = new AudioChain({ sampleRateHz, channels: 2 });
      const log: ParameterChange[] = [
        { block: 0, parameter: ParameterId.compressorMakeupDb, value: 0 },
        { block: 0, parameter: ParameterId.compressorRatio, value: 1 },
        { block: 0, parameter: ParameterId.inputGainDb, value: -24 },
        { block: 0, parameter: ParameterId.outputGainDb, value: 12 },
        { block: 0, parameter: ParameterId.limiterReleaseMs, value: 5 },
        { block: 0, parameter: ParameterId.compressorReleaseMs, value: 5 },
        { block: 0, parameter: ParameterId.compressorAttackMs, value: 1 },
      ];
      const rendered = renderOffline(audio, log, 280, { pastEnd: 'loop' });
      // after the glides, and whole rounds of the loop later
      const { latencySampleFrames } = chain;
      for (let i = 240 * 128; i < 280 * 128; i++) {
        const from = (i - latencySampleFrames) % 2560;
        expect(rendered[2 * i + 1]).toBeCloseTo(audio.data[1]![from]! * 10 ** (-12 / 20), 6);
      }
    }
  });

  it('survives not-a-number, infinity and denormal numbers', () => {
    const chain = new AudioChain({ sampleRateHz: 48_000, channels: 1 });
    const output = [new Float32Array(128)];
    const bad = Float32Array.from(
      { length: 128 },
      (_, i) => [Number.NaN, Number.POSITIVE_INFINITY, 3e38, 1e-44][i % 4]!,
    );
    for (let b = 0; b < 10; b++) {
      chain.process([bad], output);
      expect(output[0]!.every((value) => value === 0)).toBe(true);
    }
  });

  it('warms up without leaving a trace', () => {
    const chain = new AudioChain({ sampleRateHz: 48_000, channels: 2 });
    chain.warmUp(50);
    const fresh = new AudioChain({ sampleRateHz: 48_000, channels: 2 });
    const source = new BlockSource(noiseAudio(2, 2000, 48_000));
    const a = [new Float32Array(128), new Float32Array(128)];
    const b = [new Float32Array(128), new Float32Array(128)];
    for (let k = 0; k < 16; k++) {
      chain.process(source.block(k), a);
      fresh.process(source.block(k), b);
      for (let c = 0; c < 2; c++) expect(bitsOf(a[c]!)).toEqual(bitsOf(b[c]!));
    }
    for (const { id, default: value } of PARAMETERS) expect(chain.parameter(id)).toBe(value);
  });

  it('allocates nothing, parameters moving all the time', () => {
    // the built files in a process of their own: the test runner's imports are slower calls that are not inlined
    const program = `
      const [{ AudioChain }, { BlockSource }, { generateMusic }, { PARAMETERS }] = await Promise.all(
        ['chain', 'block-source', 'music', 'parameters'].map((name) => import(\`\${process.argv[1]}\${name}.js\`)));
      const chain = new AudioChain({ sampleRateHz: 48000, channels: 2 });
      const source = new BlockSource(generateMusic(4), { pastEnd: 'loop' });
      const planes = [new Float32Array(128), new Float32Array(128)];
      function run(blocks) {
        const before = process.memoryUsage().heapUsed;
        for (let k = 0; k < blocks; k++) {
          chain.setParameter(k % PARAMETERS.length, (k % 7) / 4);
          source.copyBlock(k, planes);
          chain.process(planes, planes);
        }
        return process.memoryUsage().heapUsed - before;
      }
      run(10000);
      console.log(JSON.stringify(Array.from({ length: 8 }, () => run(2000))));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program, builtFolder.href], {
      encoding: 'utf8',
    });
    // a round in which the collector ran tells nothing; one number a block would be at least 24 kB
    const growth = (JSON.parse(output) as number[]).filter((bytes) => bytes >= 0);
    expect(Math.min(...growth)).toBeLessThan(12_000);
  });

  it('refuses what does not fit', () => {
    const chain = new AudioChain({ sampleRateHz: 48_000, channels: 2 });
    const two = [new Float32Array(128), new Float32Array(128)];
    expect(() => chain.process([two[0]!], two)).toThrow(/1 inputs.*OPTION_INVALID/);
    expect(() => chain.process(two, two, 129)).toThrow(/129 sample frames.*OPTION_INVALID/);
    expect(() => chain.process(two, two, 0)).toThrow(/OPTION_INVALID/);
    for (const id of [-1, 0.5, Number.NaN, PARAMETERS.length])
      expect(() => chain.setParameter(id, 1)).toThrow(/OPTION_INVALID/);
    expect(() => chain.setParameter(0, Number.NaN)).toThrow(/OPTION_INVALID/);
    for (const options of [
      { sampleRateHz: 7000, channels: 1 },
      { sampleRateHz: Number.NaN, channels: 1 },
      { sampleRateHz: 48_000, channels: 0 },
      { sampleRateHz: 48_000, channels: 1.5 },
    ])
      expect(() => new AudioChain(options)).toThrow(/OPTION_INVALID/);
    const audio = noiseAudio(1, 10, 8000);
    for (const change of [
      { block: -1, parameter: 0, value: 1 },
      { block: 0.5, parameter: 0, value: 1 },
      { block: 0, parameter: 99, value: 1 },
      { block: 0, parameter: 0, value: Number.NaN },
    ])
      expect(() => renderOffline(audio, [change], 1)).toThrow(/OPTION_INVALID/);
    expect(() => renderOffline(audio, [], -1)).toThrow(/OPTION_INVALID/);
  });
});

describe('parameters', () => {
  it('have their id as index, a name of their own, and a default in range', () => {
    PARAMETERS.forEach((parameter, i) => {
      expect(parameter.id).toBe(i);
      expect(parameterId(parameter.name)).toBe(i);
      expect(parameter.default).toBeGreaterThanOrEqual(parameter.min);
      expect(parameter.default).toBeLessThanOrEqual(parameter.max);
      if (parameter.scale === 'log') expect(parameter.min).toBeGreaterThan(0);
    });
    expect(parameterId('none')).toBe(-1);
    expect(PARAMETERS[ParameterId.inputGainDb]!.name).toBe('input.gain');
    expect(PARAMETERS[ParameterId.limiterReleaseMs]!.name).toBe('limiter.release');
  });
});
