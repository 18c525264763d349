// What standstill.test.ts runs in its page.
import { createScheduler } from '../../../dist/web.js';

const TASKS = new URL('./standstill.tasks.js', import.meta.url);
const WINDOW_MS = 100;

/** The most of these moments that lie within a tenth of a second. */
function mostAtOnce(momentsMs) {
  const sorted = momentsMs.filter((atMs) => atMs > 0).toSorted((a, b) => a - b);
  let most = 0;
  for (let first = 0, last = 0; last < sorted.length; last++) {
    while (sorted[last] - sorted[first] >= WINDOW_MS) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** A periodic lane, and a loop that the display drives; a host in a worker beside them, with a loop of its own. */
export async function open() {
  const ticksMs = new Float64Array(new SharedArrayBuffer(8 * 4096));
  const scheduler = await createScheduler({
    lanes: {
      ticks: { tasks: TASKS, periodic: { task: 'tick', everyMs: 10 }, shared: { ticksMs } },
      work: { tasks: TASKS },
    },
    workers: [{ lanes: ['ticks'] }, { lanes: ['work'] }],
  });
  const records = [];
  scheduler.onMiss((miss) => miss.lane === 'ticks' && records.push(miss.periods));
  const callsMs = [];
  const end = new AbortController();
  const looped = scheduler.loop({ signal: end.signal }, async (frame) => {
    callsMs.push(performance.now());
    frame.submit(scheduler.lanes.work.twice, { x: 1 });
    await frame.join();
  });
  const worker = new Worker(new URL('./standstill.worker.js', import.meta.url), { type: 'module' });
  const answer = () =>
    new Promise((resolve) => worker.addEventListener('message', ({ data }) => resolve(data), { once: true }));
  await answer();
  globalThis.opened = {
    async tell() {
      const inWorker = answer();
      worker.postMessage('tell');
      const { lanes, loops } = scheduler.telemetry();
      const [{ submitted, outcomes }] = lanes[0].tasks;
      const { frames, droppedTicks, pauses } = loops[0];
      return {
        ticks: {
          submitted,
          expired: outcomes.expired,
          pauses: lanes[0].pauses ?? null,
          atOnce: mostAtOnce([...ticksMs]),
        },
        records,
        loop: { frames, droppedTicks, pauses, atOnce: mostAtOnce(callsMs) },
        inWorker: await inWorker,
        deaths: (await scheduler.refresh()).workers.map(({ deaths }) => deaths),
      };
    },
    async close() {
      end.abort();
      await looped;
      await scheduler.close();
      worker.terminate();
    },
  };
}

globalThis.webTests = { open };
