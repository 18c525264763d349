import { f64, task, u32 } from 'frame-deadline';
import { work } from '../rivals/work.js';

/** So many steps of work; tells when it ended. */
const worker = () =>
  task({
    input: { steps: u32 },
    output: { endedMs: f64 },
    run(input, output) {
      work(input.steps);
      output.endedMs = performance.timeOrigin + performance.now();
    },
  });

export const job = worker();
