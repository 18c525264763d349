import { readFileSync } from 'node:fs';
import { task, u32 } from 'frame-deadline';

const OUTPUT = { policy: u32, realtimePriority: u32 };

/** Tells the policy of the thread that it runs on (proc(5), fields 40 and 41). */
function tell(_input, output) {
  const text = readFileSync('/proc/thread-self/stat', 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  output.realtimePriority = Number(fields[37]);
  output.policy = Number(fields[38]);
}

export const bounded = task({ input: {}, output: OUTPUT, deadlineMs: 1000, budgetUs: 2000, run: tell });
