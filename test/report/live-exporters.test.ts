import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createScheduler, type Scheduler } from 'frame-deadline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HlogWriter, hlogTotals, parseHlog } from '../../src/report/hlog.js';
import { metricProducer } from '../../src/report/opentelemetry.js';
import { prometheusHandler } from '../../src/report/prometheus.js';
import { loadWork, quiet, WORK_URL, type WorkTasks } from '../engine/support.js';

// The exporters on a scheduler that runs, not on the fixture.

const JOBS = 200;
let scheduler: Scheduler<{ work: WorkTasks }>;
beforeAll(async () => {
  scheduler = await createScheduler({ lanes: { work: { tasks: WORK_URL, load: loadWork } } });
});
afterAll(() => scheduler.close());

async function work(): Promise<void> {
  const { spin } = scheduler.lanes.work;
  for (let job = 0; job < JOBS; job++) await scheduler.submit(spin, { us: 20 }).done;
  await quiet(scheduler);
}

test('the same counts in every format, from windows and from totals', async () => {
  const window = scheduler.telemetryWindow();
  const lines: string[] = [];
  const log = new HlogWriter((text) => lines.push(text));
  await work();
  log.interval(window.read());
  await work();
  log.interval(window.read());

  const response = scheduler.telemetry().lanes[0]!.tasks.find(({ name }) => name === 'spin')!.histograms.responseUs;
  expect(response.count).toBe(2 * JOBS);
  const total = hlogTotals(parseHlog(lines.join(''))).find(({ tag }) => tag === 'work.response')!;
  expect(total.histogram.buckets).toEqual(response.buckets);

  const { resourceMetrics, errors } = await metricProducer(scheduler).collect();
  expect(errors).toEqual([]);
  const ended = resourceMetrics.scopeMetrics[0]!.metrics.find(
    ({ descriptor }) => descriptor.name === 'frame_deadline.job.response.duration',
  )!;
  const point = ended.dataPoints.find(({ attributes }) => attributes['frame_deadline.task.name'] === 'spin')!;
  expect(point.value).toMatchObject({ count: 2 * JOBS });

  const server = createServer(prometheusHandler(scheduler));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toContain(`frame_deadline_job_response_seconds_count{lane="work",task="spin"} ${2 * JOBS}\n`);
    expect(text).toContain(`frame_deadline_jobs_submitted_total{lane="work",task="spin"} ${2 * JOBS}\n`);
  } finally {
    server.close();
  }
});
