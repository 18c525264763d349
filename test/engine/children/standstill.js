import { createScheduler } from 'frame-deadline';

// A loop, a periodic lane and a job that is always running, with a hang watch. The parent stops and continues this
// process; on its message the telemetry is sent.

const url = new URL('../tasks/work.tasks.js', import.meta.url);
const scheduler = await createScheduler({
  hangMs: 1000,
  lanes: {
    ticks: { tasks: url, periodic: { task: 'nothing', everyMs: 10 } },
    work: { tasks: url },
    long: { tasks: url, deadlineMs: 60_000 },
  },
  workers: [{ lanes: ['ticks'] }, { lanes: ['work'] }, { lanes: ['long'] }],
});
const { work, long } = scheduler.lanes;
const calls = [];
const records = [];
scheduler.onMiss((miss) => records.push({ lane: miss.lane, periods: miss.periods }));
const end = new AbortController();
const loop = scheduler.loop({ hz: 50, signal: end.signal }, async (frame) => {
  calls.push(performance.now());
  frame.submit(work.nothing);
  await frame.join();
});
let running = true;
const busy = (async () => {
  while (running) {
    const job = scheduler.submit(long.spin, { us: 300_000 });
    await job.done;
    if (job.outcome !== 'onTime') process.send({ failed: job.outcome });
    job.release();
  }
})();
process.send('ready');
process.on('message', async () => {
  running = false;
  end.abort();
  await loop;
  await busy;
  const { loops, lanes } = scheduler.telemetry();
  const [{ droppedTicks, frames, pauses = null }] = loops;
  const deaths = scheduler.describe().workers.map((worker) => worker.deaths);
  const [ticks, jobs] = lanes.map((lane) => {
    const counts = { submitted: 0, misses: 0, expired: 0 };
    for (const task of lane.tasks) {
      counts.submitted += task.submitted;
      counts.misses += task.misses;
      counts.expired += task.outcomes.expired;
    }
    return counts;
  });
  const tickPauses = lanes[0].pauses ?? null;
  process.send({ calls, records, droppedTicks, frames, pauses, tickPauses, deaths, ticks, jobs });
  await scheduler.close();
  process.disconnect();
});
