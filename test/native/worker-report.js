// Prints what a scheduler's worker got, and what the kernel shows of it. Arguments: URL of the package's entry, priority,
// perhaps a shell command to run meanwhile: then also what is told and shown after it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const [entry, priority, meanwhile] = process.argv.slice(2);
const { createScheduler } = await import(entry);
const tasks = new URL('./tasks/budgeted.tasks.js', import.meta.url);
const scheduler = await createScheduler({ lanes: { work: { tasks } }, workers: [{ lanes: ['work'], priority }] });

function report() {
  const { thread } = scheduler.describe().workers[0];
  const folder = `/proc/self/task/${thread.threadId}`;
  const stat = readFileSync(`${folder}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const cpus = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`${folder}/status`, 'latin1'))[1];
  const seen = { niceness: Number(fields[16]), realtimePriority: Number(fields[37]), policy: Number(fields[38]), cpus };
  return { thread, seen };
}

const first = report();
if (meanwhile !== undefined) execFileSync('sh', ['-c', meanwhile], { stdio: 'ignore' });
console.log(JSON.stringify(meanwhile === undefined ? first : { ...first, after: report() }));
await scheduler.close();
