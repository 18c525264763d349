import { createScheduler } from '../../../dist/web.js';

// A Web Worker as the host.
const scheduler = await createScheduler({
  lanes: { work: { tasks: new URL('./work.tasks.js', import.meta.url) } },
});
const { twice } = scheduler.lanes.work;
const frame = scheduler.beginFrame({ deadlineMs: 5000 });
const job = frame.submit(twice, { x: 21 });
const complete = frame.joinSync();
const { outcome } = job;
const { y } = job.output;
let frames = 0;
const end = new AbortController();
await scheduler.loop({ hz: 100, signal: end.signal }, async (each) => {
  each.submit(twice, { x: 1 });
  await each.join();
  if (++frames === 3) end.abort();
});
await scheduler.close();
postMessage({ outcome, y, complete, frames });
