import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framesPerTurnOf, hogCount, isGranted } from '../../src/cli/doctor/measure/measure.js';
import { type PhaseResult, quantilesOf, summarizePhase } from '../../src/cli/doctor/measure/phase.js';
import { LEVELS, MAX_SAMPLES, ProbeMemory } from '../../src/cli/doctor/measure/probe-memory.js';
import { overallVerdict, type Verdict, verdictOf } from '../../src/cli/doctor/measure/verdict.js';
import { work } from '../../src/cli/doctor/measure/work.js';
import type { Priority, ThreadReport } from '../../src/host/thread-control.js';

describe('the memory of the probes', () => {
  it('a level works in its window only, and others do not', () => {
    const memory = new ProbeMemory();
    const worker = new ProbeMemory(memory.buffer);
    expect(worker.beginPeriod(1, 0)).toBe(-1);
    memory.setWindow(1, 1, 10, 13);
    expect([9, 10, 12, 13].map((period) => worker.beginPeriod(1, period))).toEqual([-1, 1, 1, -1]);
    expect(worker.beginPeriod(0, 11)).toBe(-1);
    expect(worker.beginPeriod(2, 11)).toBe(-1);
    expect(memory.lastPeriod()).toBe(13);
  });

  it('samples come back by level and phase, and stop at the end of the memory', () => {
    const memory = new ProbeMemory();
    const worker = new ProbeMemory(memory.buffer);
    worker.addSample(0, 1, 5, 6);
    for (let n = 0; n < MAX_SAMPLES + 3; n++) worker.addSample(2, 0, n, n + 1);
    expect(memory.samples(0, 1)).toEqual([{ wakeupUs: 5, responseUs: 6 }]);
    expect(memory.samples(0, 0)).toEqual([]);
    const full = memory.samples(2, 0);
    expect(full).toHaveLength(MAX_SAMPLES);
    expect(full.at(-1)).toEqual({ wakeupUs: MAX_SAMPLES - 1, responseUs: MAX_SAMPLES });
    expect(memory.samples(2, 1)).toEqual([]);
  });

  it('the fastest loop of any level counts', () => {
    const memory = new ProbeMemory();
    expect(memory.loopPicoseconds()).toBe(Number.POSITIVE_INFINITY);
    memory.noteLoop(0, 900);
    memory.noteLoop(0, 1200);
    memory.noteLoop(1, 800.4);
    expect(memory.loopPicoseconds()).toBe(800);
    expect(memory.loopsPerFrame).toBe(0);
    memory.setLoopsPerFrame(42);
    expect(new ProbeMemory(memory.buffer).loopsPerFrame).toBe(42);
    expect(() => work(1000)).not.toThrow();
  });
});

describe('figures', () => {
  it('frames that never ran are missed', () => {
    const result = summarizePhase(
      4,
      [
        { wakeupUs: 100, responseUs: 8100 },
        { wakeupUs: 200, responseUs: 16_667 },
        { wakeupUs: 9000, responseUs: 17_000 },
      ],
      16_667,
    );
    expect(result).toMatchObject({ frames: 4, missedFrames: 2, missedPercent: 50 });
    expect(result.wakeupUs).toEqual({ p50: 200, p90: 9000, p99: 9000, max: 9000 });
    expect(summarizePhase(3, [], 16_667)).toMatchObject({ missedFrames: 3, wakeupUs: { p50: null, max: null } });
  });

  it('quantiles are values that were there, and at least their share is no larger', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 1, maxLength: 300 }), (values) => {
        const { p50, p90, p99, max } = quantilesOf(values);
        expect(max).toBe(Math.max(...values));
        for (const [share, value] of [
          [0.5, p50],
          [0.9, p90],
          [0.99, p99],
        ] as const) {
          expect(values).toContain(value);
          expect(values.filter((other) => other <= value!).length).toBeGreaterThanOrEqual(share * values.length - 1e-9);
          expect(values.filter((other) => other < value!).length).toBeLessThan(share * values.length + 1e-9);
        }
      }),
    );
  });

  it('hogs: one for each CPU, fewer where memory is short, never none', () => {
    expect(hogCount(2, 8e9)).toBe(2);
    expect(hogCount(128, 1e12)).toBe(32);
    expect(hogCount(16, 5e8)).toBe(4);
    expect(hogCount(4, 0)).toBe(1);
  });

  it('turns share the time, and have some frames however short it is', () => {
    expect(framesPerTurnOf(-100, 3)).toBe(6);
    expect(framesPerTurnOf(6000, 3)).toBeGreaterThan(framesPerTurnOf(3000, 3));
    expect(framesPerTurnOf(6000, 1)).toBeGreaterThan(framesPerTurnOf(6000, 3));
    expect(framesPerTurnOf(10_000, 1) * 3).toBeLessThan(MAX_SAMPLES);
  });
});

describe('verdicts', () => {
  const phase = (missedFrames: number, frames = 100) => ({ frames, missedFrames }) as PhaseResult;
  it('of one level', () => {
    expect(verdictOf(false, null, null)).toBe('refused');
    expect(verdictOf(true, phase(0), null)).toBe('unmeasured');
    // one frame of a hundred is no more than bad luck
    expect(verdictOf(true, phase(0), phase(1))).toBe('holds');
    expect(verdictOf(true, phase(0), phase(2))).toBe('mostly');
    expect(verdictOf(true, phase(2), phase(0))).toBe('mostly');
    expect(verdictOf(true, phase(0), phase(6))).toBe('alone');
    expect(verdictOf(true, phase(6), phase(6))).toBe('fails');
    expect(verdictOf(true, phase(0), phase(4, 800))).toBe('holds');
    expect(verdictOf(true, phase(0), phase(5, 800))).toBe('mostly');
  });

  it.each<[Verdict, Verdict, Verdict, Priority | null]>([
    ['alone', 'holds', 'holds', 'high'],
    ['fails', 'mostly', 'holds', 'realtime'],
    ['holds', 'holds', 'holds', 'high'],
    ['holds', 'refused', 'refused', 'normal'],
    ['alone', 'mostly', 'refused', 'high'],
    ['alone', 'refused', 'refused', 'normal'],
    ['fails', 'fails', 'refused', 'high'],
    ['unmeasured', 'refused', 'unmeasured', null],
  ])('normal %s, high %s, realtime %s: %s', (normal, high, realtime, level) => {
    const verdicts = [normal, high, realtime];
    const verdict = overallVerdict(LEVELS.map((of, i) => ({ level: of, verdict: verdicts[i]! })));
    expect(verdict.level).toBe(level);
    expect(verdict.text).toMatch(/^[^.]+\.$/);
  });

  it('a level is granted if it is in force, or a better one', () => {
    const thread = (requested: Priority, effective: Priority) =>
      ({ priority: { requested, effective } }) as unknown as ThreadReport;
    expect(isGranted(thread('high', 'high'))).toBe(true);
    expect(isGranted(thread('realtime', 'high'))).toBe(false);
    expect(isGranted(thread('normal', 'high'))).toBe(true);
    expect(isGranted(null)).toBe(false);
  });
});
