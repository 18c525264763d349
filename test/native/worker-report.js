// Prints what a scheduler's worker got, and what the kernel shows of it. Arguments: URL of the package's entry, priority.
import { readFileSync } from 'node:fs';

const [entry, priority] = process.argv.slice(2);
const { createScheduler } = await import(entry);
const tasks = new URL('./tasks/budgeted.tasks.js', import.meta.url);
const scheduler = await createScheduler({ lanes: { work: { tasks } }, workers: [{ lanes: ['work'], priority }] });
const { thread } = scheduler.describe().workers[0];
const folder = `/proc/self/task/${thread.threadId}`;
const stat = readFileSync(`${folder}/stat`, 'latin1');
const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
const cpus = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`${folder}/status`, 'latin1'))[1];
const seen = { niceness: Number(fields[16]), realtimePriority: Number(fields[37]), policy: Number(fields[38]), cpus };
console.log(JSON.stringify({ thread, seen }));
await scheduler.close();
