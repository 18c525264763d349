import { describe, expect, it } from 'vitest';
import { withSection } from '../../bench/soak/result.js';
import { faults, growth, type SoakSample } from '../../bench/soak/verdict.js';

const MIB = 1024 * 1024;
const LIMITS = { maxXruns: 0, maxMissPercent: 1 };

function samplesOf(change: (sample: SoakSample, n: number) => object = () => ({})): SoakSample[] {
  return Array.from({ length: 60 }, (_, n) => {
    // a heap that fills up and is collected
    const heapUsed = (20 + (n % 6)) * MIB;
    const flat = { rss: 200 * MIB, heapUsed, arrayBuffers: MIB, threads: 20, files: 60, handles: 9 };
    const sample: SoakSample = { atS: n * 5, ...flat };
    return { ...sample, ...change(sample, n) };
  });
}

function reportOf(change: { xruns?: number; missed?: number; identical?: boolean | null } = {}): object {
  const { xruns = 0, missed = 0, identical = true } = change;
  return {
    interrupted: false,
    audio: { xruns, identicalToOffline: identical },
    lanes: { audio: { misses: missed, accepted: 1000 } },
    frames: { missed: 0, intended: 100 },
  };
}

describe('the verdict of a soak', () => {
  it('finds nothing where nothing grows, whatever happened while it warmed up', () => {
    expect(faults(samplesOf(), reportOf(), LIMITS)).toEqual([]);
    const warming = samplesOf(({ threads }, n) => (n < 10 ? { threads: threads! - 3, files: 90, rss: 100 * MIB } : {}));
    expect(faults(warming, reportOf(), LIMITS)).toEqual([]);
    expect(faults(samplesOf(), reportOf({ missed: 10 }), LIMITS)).toEqual([]);
  });

  it.each([
    ['resident memory', { rss: 1.2 * MIB }],
    ["main thread's heap", { heapUsed: 0.2 * MIB }],
    ["main thread's array buffers", { arrayBuffers: 0.1 * MIB }],
    ['threads', { threads: 0.1 }],
    ['open files', { files: 0.1 }],
    ["main thread's handles", { handles: 0.1 }],
  ])('finds %s that grows little by little', (what, each) => {
    const [[key, step]] = Object.entries(each) as [[string, number]];
    const samples = samplesOf((sample, n) => ({ [key]: sample[key]! + Math.floor(n * step * 1000) / 1000 }));
    expect(faults(samples, reportOf(), LIMITS)).toEqual([expect.stringContaining(`${what} grew from `)]);
  });

  it('tells what a system without /proc does not', () => {
    const samples = samplesOf(() => ({ rss: null, threads: null, files: null }));
    expect(faults(samples, reportOf(), LIMITS)).toEqual([]);
    expect(growth(samples).filter(({ from }) => from === null)).toHaveLength(3);
  });

  it.each([
    [{ xruns: 1 }, '1 xruns, 0 allowed'],
    [{ missed: 11 }, 'audio jobs: 1.100 % missed, 1 % allowed'],
    [{ identical: false }, 'what was played differs from the offline rendering'],
  ])('fails with %j', (change, fault) => {
    expect(faults(samplesOf(), reportOf(change), LIMITS)).toEqual([fault]);
  });

  it('fails without a report, and with too few samples', () => {
    expect(faults(samplesOf(), null, LIMITS)).toEqual(['the demo ended without a report']);
    expect(faults(samplesOf().slice(0, 5), reportOf(), LIMITS)).toEqual([expect.stringContaining('too few')]);
  });
});

describe('the section in the documentation', () => {
  it('takes the place of the one before, and nothing else', () => {
    const section = '## Soak\n\nnew\n';
    expect(withSection('# A\n\n## Soak\n\nold\n\n## B\n\nb\n', section)).toBe('# A\n\n## Soak\n\nnew\n\n## B\n\nb\n');
    expect(withSection('# A\n\n## Soak\n\nold\n', section)).toBe('# A\n\n## Soak\n\nnew\n');
    expect(withSection('# A\n\n## B\n', section)).toBe('# A\n\n## B\n\n## Soak\n\nnew\n');
  });
});
