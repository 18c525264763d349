// Prints what a scheduler's worker got, and its niceness as the kernel shows it. Argument: URL of the package's entry.
import { readFileSync } from 'node:fs';

const { createScheduler } = await import(process.argv[2]);
const tasks = new URL('./tasks/budgeted.tasks.js', import.meta.url);
const scheduler = await createScheduler({ lanes: { work: { tasks } }, workers: [{ lanes: ['work'] }] });
const { thread } = scheduler.describe().workers[0];
const stat = readFileSync(`/proc/self/task/${thread.threadId}/stat`, 'latin1');
const niceness = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
console.log(JSON.stringify({ thread, niceness }));
await scheduler.close();
