// Prints how much CPU a second of an idle scheduler costs, in microseconds.
import { createScheduler } from 'frame-deadline';

const scheduler = await createScheduler({
  lanes: { work: { tasks: new URL('../tasks/work.tasks.js', import.meta.url) } },
  workers: [{ lanes: ['work'], count: 4, spinUs: Number(process.argv[2]) }],
});
scheduler.onMiss(() => {});
for (let i = 0; i < 200; i++) {
  const job = scheduler.submit(scheduler.lanes.work.nothing);
  await job.done;
  job.release();
}
// by then the spare has been made, too
await new Promise((resolve) => setTimeout(resolve, 2500));
const before = process.cpuUsage();
await new Promise((resolve) => setTimeout(resolve, 1000));
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuUs: user + system }));
await scheduler.close();
