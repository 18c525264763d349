// An app with the installed package. Prints what its threads got, as JSON. Argument: a CPU for the worker, or nothing.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createScheduler } from 'frame-deadline';

const cpu = process.argv[2];
const scheduler = await createScheduler({
  lanes: { work: { tasks: new URL('./work.tasks.js', import.meta.url) } },
  workers: [{ lanes: ['work'], priority: 'high', ...(cpu === undefined ? {} : { cpus: [Number(cpu)] }) }],
});
const job = scheduler.submit(scheduler.lanes.work.double, { value: 21 });
await job.done;
const { outcome, output } = job;
const twice = output.twice;
job.release();
const { thread } = scheduler.describe().workers[0];

const require = createRequire(import.meta.url);
const folder = join(dirname(require.resolve('frame-deadline/package.json')), 'native');
let addon = null;
try {
  const find = require('node-gyp-build');
  addon = { path: find.resolve(folder).slice(folder.length + 1), main: find(folder).read(0) };
} catch {
  // not there
}
console.log(JSON.stringify({ version: process.versions.node, arch: process.arch, outcome, twice, thread, addon }));
await scheduler.close();
