// Prints what the operating system granted, and what its own files say.
import { readdirSync, readFileSync } from 'node:fs';
import { createScheduler } from 'frame-deadline';

const scheduler = await createScheduler({
  lanes: {
    audio: { tasks: new URL('../tasks/work.tasks.js', import.meta.url) },
    render: { tasks: new URL('../tasks/work.tasks.js', import.meta.url) },
    bulk: { tasks: new URL('../tasks/work.tasks.js', import.meta.url) },
  },
  workers: [
    { lanes: ['audio'], priority: 'realtime' },
    { lanes: ['render'], priority: 'high', cpus: JSON.parse(process.argv[2] ?? 'null') ?? undefined, count: 2 },
    { lanes: ['bulk'], priority: 'normal', name: 'a-name-that-is-far-too-long' },
  ],
});
const threads = readdirSync('/proc/self/task').map((id) => {
  const stat = readFileSync(`/proc/self/task/${id}/stat`, 'latin1');
  return {
    id: Number(id),
    name: readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim(),
    cpus: /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`/proc/self/task/${id}/status`, 'latin1'))[1],
    niceness: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]),
  };
});
const { workers, allowedCpus } = scheduler.describe();
console.log(JSON.stringify({ threads, workers, allowedCpus, words: String(scheduler.describe()) }));
await scheduler.close();
