import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { createScheduler, type Scheduler } from 'frame-deadline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  compareTelemetry,
  csvOfFrames,
  htmlReport,
  low1Integral,
  low1Percentile,
  parseTelemetry,
} from '../../src/report/report.js';
import { loadWork, quiet, WORK_URL, type WorkTasks } from '../engine/support.js';

// The reports on a scheduler that runs, not on the fixture.

const FRAMES = 12;
let scheduler: Scheduler<{ work: WorkTasks }>;
beforeAll(async () => {
  scheduler = await createScheduler({ lanes: { work: { tasks: WORK_URL, load: loadWork } } });
});
afterAll(() => scheduler.close());

test('what a scheduler measured fits the schema, and every report can be made of it', async () => {
  const { spin } = scheduler.lanes.work;
  // more than the deadline now and then, so that there are misses
  for (let job = 0; job < 20; job++) await scheduler.submit(spin, { us: job % 10 === 9 ? 30_000 : 50 }).done;
  const end = new AbortController();
  await scheduler.loop({ hz: 100, signal: end.signal }, async (frame) => {
    frame.submit(spin, { us: 100 });
    await frame.join();
    if (frame.number >= FRAMES) end.abort();
  });
  await quiet(scheduler);
  const telemetry = scheduler.telemetry();
  const text = JSON.stringify(telemetry);
  const schema = JSON.parse(readFileSync(new URL('../../src/report/telemetry.schema.json', import.meta.url), 'utf8'));
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
  expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
  expect(parseTelemetry(text)).toEqual(JSON.parse(text));
  expect(telemetry.misses.length).toBeGreaterThanOrEqual(2);
  expect(telemetry.frames.length).toBeGreaterThanOrEqual(5);

  const page = htmlReport(telemetry);
  expect(page).toContain('work.spin');
  expect(page.match(/<details class="miss"/g)).toHaveLength(telemetry.misses.length);
  expect(csvOfFrames(telemetry).split('\r\n')).toHaveLength(telemetry.frames.length + 2);
  expect(low1Percentile(telemetry.loops[0]!.intervalUs)).toBeGreaterThan(0);
  expect(low1Integral(telemetry.loops[0]!.intervalUs)).toBeGreaterThan(0);
  expect(compareTelemetry(telemetry, telemetry)).toMatchObject({ better: 0, worse: 0 });
});
