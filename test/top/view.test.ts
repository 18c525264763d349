import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { missInWords, type TopModel, TopModels } from '../../src/cli/top/model.js';
import { renderPlain, renderTop, type TopState } from '../../src/cli/top/view.js';
import type { StreamTelemetry } from '../../src/report/telemetry-client.js';
import { makeTelemetry } from '../report/fixture.js';

const telemetry = makeTelemetry(1);
const stream = (name: string, underruns: number): StreamTelemetry => ({
  name,
  kind: 'f32',
  overruns: 1,
  droppedItems: 0,
  underruns,
  missingItems: 0,
});
const process = { pid: 42, name: 'app.js' };
const models = new TopModels(process, { telemetry, streams: [stream('audio', 2)] });
const model = models.model({ telemetry, streams: [stream('audio', 5), stream('other', 7)] }, telemetry);
const state: TopState = { isPaused: false, selected: null, message: null, everyMs: 1000 };
const plain = (columns: number, rows: number, of: Partial<TopState> = {}, shown: TopModel | null = model): string[] =>
  renderTop(shown, 'app.js (42)', { ...state, ...of }, { columns, rows, colour: false });

describe('model', () => {
  const audio = model.lanes.find((lane) => lane.name === 'audio')!;
  const input = telemetry.lanes.find((lane) => lane.name === 'audio')!;

  test('the rates are of the interval', () => {
    const jobs = Object.values(input.tasks[0]!.outcomes).reduce((sum, count) => sum + count, 0);
    expect(audio.jobsPerSecond).toBeCloseTo((jobs * 1e6) / (telemetry.toUs - telemetry.fromUs), 6);
    expect(audio.misses).toBe(input.tasks.reduce((sum, task) => sum + task.misses, 0));
  });

  test('a periodic lane’s shares are the mean per job of the period, another’s the sum of the interval', () => {
    const { executionUs } = input.tasks[0]!.histograms;
    expect(audio.shareOf).toBe('period');
    expect(audio.busyShare).toBeCloseTo(executionUs.sumUs / executionUs.count / input.periodUs!, 9);
    const render = model.lanes.find((lane) => lane.name === 'render')!;
    const tasks = telemetry.lanes.find((lane) => lane.name === 'render')!.tasks;
    const sumUs = tasks.reduce((sum, task) => sum + task.histograms.executionUs.sumUs, 0);
    expect(render.shareOf).toBe('interval');
    expect(render.busyShare).toBeCloseTo(sumUs / (telemetry.toUs - telemetry.fromUs), 9);
    const queueing = tasks.map((task) => task.histograms.queueingUs);
    const meanUs =
      queueing.reduce((sum, data) => sum + data.sumUs, 0) / queueing.reduce((sum, data) => sum + data.count, 0);
    const deadlineUs = Math.min(...tasks.map((task) => task.deadlineUs));
    expect(render.waitingShare).toBeCloseTo(meanUs / deadlineUs, 9);
  });

  test('xruns: those of the interval and all, beside the lane of the stream’s name; others by themselves', () => {
    expect([audio.xruns, audio.xrunsTotal]).toEqual([3, 6]);
    expect(model.lanes.find((lane) => lane.name === 'render')!.xruns).toBeNull();
    expect(model.streams).toEqual([{ name: 'other', xruns: 8, xrunsTotal: 8 }]);
  });

  test('a loop that began no frame is silent for longer and longer', () => {
    const held = new TopModels(process, { telemetry, streams: [] });
    const loops = telemetry.loops.map((loop) => ({ ...loop, running: true, frames: 0, intendedTicks: 0 }));
    const silent = { ...telemetry, fromUs: 0, toUs: 400_000, loops };
    const once = held.model({ telemetry: silent, streams: [] }, telemetry);
    const twice = held.model({ telemetry: silent, streams: [] }, telemetry);
    expect([once.loops[0]!.silentUs, twice.loops[0]!.silentUs]).toEqual([400_000, 800_000]);
    expect(renderPlain(twice).join('\n')).toMatch(/held up: no frame for 800 ms/);
    const again = { ...telemetry, loops: telemetry.loops.map((loop) => ({ ...loop, running: true, frames: 3 })) };
    expect(held.model({ telemetry: again, streams: [] }, telemetry).loops[0]!.silentUs).toBe(0);
  });

  test('the last miss stays until there is another', () => {
    const miss = telemetry.misses.at(-1)!;
    expect(model.lastMiss!.miss).toBe(miss);
    const quiet = models.model({ telemetry: { ...telemetry, misses: [] }, streams: [] }, telemetry);
    expect(quiet.lastMiss!.miss).toBe(miss);
    expect(missInWords(miss)).toContain(`${miss.lane}.${miss.task}`);
  });

  test('survives JSON', () => {
    expect(JSON.parse(JSON.stringify(model))).toEqual(model);
  });
});

describe('view', () => {
  test('no line is wider than the terminal, no more lines than rows, nothing moves the cursor, whatever the names', () => {
    const name = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constant('\x1b[2J漢字👩‍👩‍👧\u202e'));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 220 }),
        fc.integer({ min: 1, max: 60 }),
        fc.option(fc.nat(3)),
        fc.boolean(),
        fc.option(name),
        name,
        (columns, rows, selected, isPaused, message, hostile) => {
          const renamed: TopModel = {
            ...model,
            lanes: model.lanes.map((lane) => ({ ...lane, name: lane.name + hostile })),
            workers: model.workers.map((worker) => ({ ...worker, name: hostile, priority: hostile, policy: hostile })),
            streams: [{ name: hostile, xruns: 0, xrunsTotal: 1 }],
            lastMiss: { ...model.lastMiss!, words: hostile },
          };
          const options = { isPaused, selected, message, everyMs: 500 };
          const lines = renderTop(renamed, hostile, options, { columns, rows, colour: false });
          expect(lines.length).toBeLessThanOrEqual(rows);
          for (const line of [...lines, ...renderPlain(renamed)]) expect(line).not.toMatch(/\p{Cc}/u);
          for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('colours change nothing but the colours', () => {
    const coloured = renderTop(model, 'x', state, { columns: 120, rows: 40, colour: true });
    expect(coloured.join('')).toContain('\x1b[');
    expect(coloured.map((line) => stripVTControlCharacters(line))).toEqual(
      renderTop(model, 'x', state, { columns: 120, rows: 40, colour: false }),
    );
  });

  test('120 columns: every figure; 80: those that matter; 24: the misses', () => {
    expect(plain(120, 40)[2]).toMatch(
      /^ {2}lane +jobs\/s +waiting +busy +of +p50 +p99 +deadline +missed +total +run +met +xruns +refused$/,
    );
    expect(plain(80, 40)[2]).toMatch(/^ {2}lane +jobs\/s +waiting +busy .*p99 .*missed +total .*xruns$/);
    expect(plain(24, 40)[2]).toMatch(/^ {2}lane .*missed$/);
  });

  test('the tasks of the chosen lane, the message, the pause', () => {
    const text = plain(100, 40, { selected: 2, isPaused: true, message: 'trace saved in x' }).join('\n');
    expect(text).toContain('> render');
    expect(text).toMatch(/^ +drawTiles/m);
    expect(text).toContain('paused');
    expect(text).toContain('trace saved in x');
    expect(plain(100, 40).join('\n')).not.toMatch(/^ *drawTiles/m);
  });

  test('where rows are short the lanes stay longest', () => {
    for (const lane of model.lanes) expect(plain(80, 5).join('\n')).toContain(lane.name);
    expect(plain(80, 1)).toEqual([expect.stringContaining('app.js (42)')]);
  });

  test('before the first interval it says how long that takes', () => {
    expect(plain(80, 10, {}, null).join('\n')).toContain('the first interval takes 1 s');
  });
});
