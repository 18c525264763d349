// Submits jobs that print, and then blocks its main thread for good.
import { writeSync } from 'node:fs';
import { createScheduler } from 'frame-deadline';

const scheduler = await createScheduler({
  lanes: { work: { tasks: new URL('../tasks/printing.tasks.js', import.meta.url) } },
  workers: [{ lanes: ['work'] }],
});
writeSync(1, 'main is blocked from here\n');
for (const number of [1, 2, 3]) scheduler.submit(scheduler.lanes.work.print, { number });
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
