// Prints much more than a pipe holds while nobody reads it, and tells by the exit status that the job ended.
import { createScheduler } from 'frame-deadline';

const scheduler = await createScheduler({
  lanes: { work: { tasks: new URL('../tasks/printing.tasks.js', import.meta.url) } },
  workers: [{ lanes: ['work'] }],
});
const job = scheduler.submit(scheduler.lanes.work.flood, { megabytes: 4 }, { deadlineMs: 60_000 });
await job.done;
await scheduler.close();
process.exit(job.outcome === 'onTime' ? 42 : 1);
