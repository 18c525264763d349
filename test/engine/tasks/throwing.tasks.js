import { task } from 'frame-deadline';

export const beat = task({
  input: {},
  run() {
    throw new RangeError('x');
  },
});

/** Ends with its worker alone. */
export const spin = task({
  input: {},
  run() {
    for (;;);
  },
});
