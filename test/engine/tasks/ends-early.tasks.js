import { task } from 'frame-deadline';

/** Periodic: ends its worker in the first period of all. */
export const tick = task({
  input: {},
  run(_input, _output, context) {
    if (Atomics.add(context.shared.ticks, 0, 1) === 0) process.exit(3);
  },
});
