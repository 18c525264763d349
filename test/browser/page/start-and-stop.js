import { createScheduler } from '../../../dist/web.js';

const TASKS = new URL('../../web/page/work.tasks.js', import.meta.url);

/** Starts a scheduler, uses what leaves something behind if it is forgotten, and closes it; `cycles` times. */
export async function startAndStop({ cycles }) {
  const outcomes = {};
  for (let cycle = 0; cycle < cycles; cycle++) {
    const scheduler = await createScheduler({ workers: [{ lanes: ['work'] }], lanes: { work: { tasks: TASKS } } });
    const { twice } = scheduler.lanes.work;
    const stop = scheduler.onMiss(() => {});
    const end = new AbortController();
    const job = scheduler.submit(twice, { x: cycle }, { deadlineMs: 60_000 });
    await scheduler.loop({ signal: end.signal, deadlineMs: 60_000 }, async (frame) => {
      frame.submit(twice, { x: 1 });
      await frame.join();
      end.abort();
    });
    await job.done;
    outcomes[job.outcome] = (outcomes[job.outcome] ?? 0) + 1;
    scheduler.telemetry();
    // every other app forgets it
    if (cycle % 2 === 0) stop();
    await scheduler.close();
  }
  return outcomes;
}
