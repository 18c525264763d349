import { createScheduler } from 'frame-deadline';
import { percentiles, ratio, row } from './harness/stats.js';

export const describe = "an allocating task's execution time with gc: 'auto' and with gc: 'inSlack', in turn";

const HZ = 125;
/** 16 383 objects, some 650 KB a job. */
const DEPTH = 13;

/** One round: frames of one job each. */
async function measure(gc, frames) {
  const scheduler = await createScheduler({
    lanes: {
      work: {
        tasks: new URL('./tasks/garbage.tasks.js', import.meta.url),
        load: () => import('./tasks/garbage.tasks.js'),
        deadlineMs: 8,
      },
    },
    workers: [{ lanes: ['work'], gc }],
  });
  const { layout } = scheduler.lanes.work;
  const run = async (count) => {
    const end = new AbortController();
    const took = new Float64Array(count);
    let done = 0;
    await scheduler.loop({ hz: HZ, signal: end.signal }, async (frame) => {
      const job = frame.submit(layout, { depth: DEPTH, seed: done });
      await frame.join();
      took[done++] = job.executionUs;
      if (done === count) end.abort();
    });
    return percentiles(took);
  };
  await run(HZ);
  const window = scheduler.telemetryWindow();
  const { p50, p99 } = await run(frames);
  const { lanes, workers } = window.read();
  const [task] = lanes[0].tasks;
  const { effective } = scheduler.describe().workers[0].gc;
  await scheduler.close();
  if (effective !== gc) throw new Error(`asked ${gc}, got ${effective}`);
  return { p50, p99, misses: task.misses, gcMisses: task.missCauses.gc, slack: workers[0].slackCollections };
}

export async function run({ quick }) {
  const frames = (quick ? 2 : 8) * HZ;
  const rounds = quick ? 2 : 5;
  const auto = [];
  const inSlack = [];
  for (let round = 0; round < rounds; round++) {
    auto.push(await measure('auto', frames));
    inSlack.push(await measure('inSlack', frames));
  }
  const of = (results, key) => results.map((result) => result[key]);
  const rows = [
    row("gc: 'auto', p50", 'µs', of(auto, 'p50')),
    row('  p99', 'µs', of(auto, 'p99')),
    row('  misses', '', of(auto, 'misses')),
    row("gc: 'inSlack', p50", 'µs', of(inSlack, 'p50')),
    row('  p99', 'µs', of(inSlack, 'p99')),
    row('  misses', '', of(inSlack, 'misses')),
    row('  of which by a collection', '', of(inSlack, 'gcMisses')),
    row(
      '  collections in slack a frame',
      '',
      inSlack.map(({ slack }) => (slack.young + slack.full) / (frames + HZ)),
    ),
    ratio("p99: 'auto' by 'inSlack'", of(auto, 'p99'), of(inSlack, 'p99')),
  ];
  return { rows, notes: [`${HZ} frames a second, each with one job that makes 16 383 objects`] };
}
