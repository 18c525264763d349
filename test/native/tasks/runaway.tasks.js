import { readdirSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { task, u32 } from 'frame-deadline';

/** Takes far more than it declared, without a pause. */
function burn({ ms }) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
export const runaway = task({ input: { ms: u32 }, deadlineMs: 5000, budgetUs: 2000, run: burn });

/** Niceness + 20 and policy of the thread that a new Worker made, as the kernel shows them (proc(5), `stat`). */
function nest(_input, output) {
  const known = new Set(readdirSync('/proc/self/task'));
  new Worker('setTimeout(() => {}, 300)', { eval: true }).unref();
  const made = readdirSync('/proc/self/task').find((id) => !known.has(id));
  const text = readFileSync(`/proc/self/task/${made}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  output.nicenessPlus20 = Number(fields[16]) + 20;
  output.policy = Number(fields[38]);
}
export const nested = task({
  input: {},
  output: { nicenessPlus20: u32, policy: u32 },
  deadlineMs: 5000,
  budgetUs: 2000,
  run: nest,
});
