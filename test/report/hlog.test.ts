import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { build, HistogramLogWriter, listTags } from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { FrameDeadlineError } from '../../src/base/errors.js';
import { HlogWriter, hlogTag, hlogText, hlogTotals, parseHlog, parseHlogTag } from '../../src/report/hlog.js';
import { hlogHistograms } from '../../src/report/hlog-tags.js';
import { bucketRangeNs, histogramCounts, type Telemetry } from '../../src/telemetry/telemetry-data.js';
import { makeTelemetry } from './fixture.js';

/** Two windows, one after the other, with different counts. */
const first = makeTelemetry(1);
const second: Telemetry = {
  ...makeTelemetry(2),
  fromUs: first.toUs,
  toUs: first.toUs + 10_000_000,
  toUnixMs: first.toUnixMs + 10_000,
};
const text = hlogText([first, second]);

describe('hlog, written and read back', () => {
  test('every distribution that has values is a line of its own, bucket by bucket', () => {
    const { intervals, cutLine, startUnixMs } = parseHlog(text);
    const expected = [first, second].flatMap((window) =>
      hlogHistograms(window)
        .filter(([, data]) => data.count > 0)
        .map(([tag, { count, buckets }]) => ({ tag, count, buckets })),
    );
    expect(intervals.map(({ tag, histogram: { count, buckets } }) => ({ tag, count, buckets }))).toEqual(expected);
    expect(cutLine).toBeNull();
    expect(startUnixMs).toBe(first.toUnixMs - 10_000);
    expect(intervals[0]!.fromUnixMs).toBe(first.toUnixMs - 10_000);
    expect(intervals.at(-1)!.fromUnixMs).toBe(first.toUnixMs);
    expect(intervals.at(-1)!.toUnixMs).toBe(second.toUnixMs);
  });

  test('tags name lane and metric, tasks are summed, deadlines stand beside them', () => {
    const { intervals, description } = parseHlog(text);
    const response = intervals.find(({ tag }) => tag === 'render.response')!;
    const [tiles, composite] = first.lanes[2]!.tasks;
    expect(response).toMatchObject({ owner: 'render', metric: 'response' });
    expect(response.histogram.count).toBe(tiles!.histograms.responseUs.count + composite!.histograms.responseUs.count);
    expect(intervals.map(({ tag }) => tag)).toContain('loop0.interval');
    expect(description?.lanes[0]).toMatchObject({ name: 'audio', tasks: [{ deadlineUs: 8000 / 3 }] });
  });

  test('totals are the sums of the intervals', () => {
    const totals = hlogTotals(parseHlog(text));
    const audio = totals.find(({ tag }) => tag === 'audio.response')!;
    const both = [first, second].map((window) => window.lanes[0]!.tasks[0]!.histograms.responseUs);
    expect(audio.histogram.buckets).toEqual([...histogramCounts(...both).buckets.entries()].filter(([, n]) => n > 0));
  });

  test('any name survives a tag', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (owner) => {
        const tag = hlogTag(owner, 'response');
        expect(tag).not.toMatch(/[,\s]/);
        expect(parseHlogTag(tag)).toEqual({ owner, metric: 'response' });
      }),
    );
  });

  test('a writer appends whole lines, the head once', () => {
    const written: string[] = [];
    const writer = new HlogWriter((lines) => written.push(lines));
    writer.interval(first);
    writer.interval(second);
    expect(written.every((lines) => lines.endsWith('\n'))).toBe(true);
    expect(written.join('')).toBe(text);
    expect(text.match(/StartTime:/g)).toHaveLength(1);
    expect(text).not.toMatch(/\n\n/);
    expect(listTags(text)).toContain('audio.tardiness');
  });
});

describe('logs of others', () => {
  test('with 3 digits, 1 ns and no tag: values land where their bucket belongs', () => {
    const histogram = build({ numberOfSignificantValueDigits: 3, bitBucketSize: 64 });
    const valuesNs = [800, 5_000_000, 5_000_000, 1_234_567_890, 60_000_000_000];
    for (const ns of valuesNs) histogram.recordValue(ns);
    let foreign = '';
    const log = new HistogramLogWriter((lines) => {
      foreign += lines;
    });
    log.outputLogFormatVersion();
    log.outputStartTime(1_700_000_000_000);
    log.outputLegend();
    log.outputIntervalHistogram(histogram, 1, 2);
    const { intervals, description } = parseHlog(foreign);
    expect(description).toBeNull();
    const [{ owner, metric, histogram: data, fromUnixMs }] = intervals as [(typeof intervals)[number]];
    expect({ owner, metric, fromUnixMs }).toEqual({ owner: null, metric: '', fromUnixMs: 1_700_000_001_000 });
    expect(data).toMatchObject({ count: 5, overflow: 1 });
    for (const [at, ns] of [0, 5_000_000, 1_234_567_890].entries()) {
      const { lowest, highest } = bucketRangeNs(data.buckets[at]![0]);
      expect(lowest).toBeLessThanOrEqual(ns);
      expect(highest).toBeGreaterThanOrEqual(ns);
    }
  });
});

describe('broken logs', () => {
  const refusal = (given: string): FrameDeadlineError => {
    try {
      parseHlog(given);
    } catch (error) {
      if (error instanceof FrameDeadlineError) return error;
      throw error;
    }
    throw new Error('was accepted');
  };

  test.each([
    ['empty', ''],
    ['a picture', '\u0089PNG\r\n\u001a\n\u0000\u0000'],
    ['prose', 'Dear reader,\nthis is no log.\n'],
    ['JSON', '{"schemaVersion":1}'],
    ['only comments of something else', '# a\n# b\n'],
  ])('%s', (_, given) => {
    expect(refusal(given).code).toBe('TELEMETRY_FILE_INVALID');
  });

  test('cut anywhere: what is whole is read, and the line that is not is named', () => {
    const size = text.length;
    const lineAt = (at: number) => text.slice(0, at).split('\n').length;
    const head = text.indexOf('"StartTimestamp"');
    fc.assert(
      fc.property(fc.integer({ min: head, max: size - 1 }), (at) => {
        const { intervals, cutLine } = parseHlog(text.slice(0, at));
        const whole = text
          .slice(0, at)
          .split('\n')
          .slice(0, -1)
          .filter((line) => line.startsWith('Tag=')).length;
        // a line may lose its end and still be whole: the encoder leaves room behind the histogram
        expect(intervals.length - whole).toBeOneOf(cutLine === null ? [0, 1] : [0]);
        if (cutLine !== null) expect(cutLine).toBe(lineAt(at));
      }),
      { numRuns: 60 },
    );
  });

  test('a broken line in the middle is named', () => {
    const lines = text.split('\n');
    const damaged = [...lines.slice(0, 9), lines[9]!.slice(0, 60), ...lines.slice(10)].join('\n');
    expect(refusal(damaged).message).toMatch(/^line 10 of the log, "Tag=/);
    const nonsense = [...lines.slice(0, 6), 'what, is, this', ...lines.slice(6)].join('\n');
    expect(refusal(nonsense).message).toMatch(/^line 7 of the log, "what, is, this"/);
  });

  test('flipped characters never come out as another error', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 8000 }),
        fc.constantFrom('A', '/', '\n', ',', '\u0000', '9'),
        (at, sign) => {
          const given = text.slice(0, at) + sign + text.slice(at + 1, 12_000);
          try {
            parseHlog(given);
          } catch (error) {
            expect((error as FrameDeadlineError).code).toBe('TELEMETRY_FILE_INVALID');
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

const JAR = ['/usr/share/java/hdrhistogram.jar', '/usr/share/java/HdrHistogram.jar'].find(existsSync);
const JAVA = JAR !== undefined && spawnSync('javac', ['-version']).status === 0;
const withJava = JAVA ? test : test.skip;
if (!JAVA)
  console.warn('SKIPPED: no JDK or no HdrHistogram jar (Debian: `libhdrhistogram-java`), .hlog stays unchecked by it');

describe('HdrHistogram of Java', () => {
  withJava('reads every interval with the same tags, times and counts, bucket by bucket', () => {
    const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-'));
    try {
      const file = join(folder, 'run.hlog');
      writeFileSync(file, text);
      const program = new URL('ReadHlog.java', import.meta.url).pathname;
      const { stdout, stderr } = spawnSync('java', ['-cp', JAR!, program, file], { encoding: 'utf8' });
      expect(stderr).toBe('');
      const expected = parseHlog(text).intervals.map(({ tag, fromUnixMs, toUnixMs, histogram }) => {
        const counts = histogram.buckets.map(([index, count]) => `${bucketRangeNs(index).lowest}:${count}`);
        const highest = bucketRangeNs(histogram.buckets.at(-1)![0]).highest;
        return [tag, fromUnixMs, toUnixMs, histogram.count, highest, ...counts].join(' ');
      });
      expect(stdout.trim().split('\n')).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
