import { task } from 'frame-deadline';

let period = 0;
/** Every 40th is late. */
export const block = task({
  input: {},
  run() {
    const end = performance.now() + (++period % 40 === 0 ? 7 : 0.2);
    while (performance.now() < end);
  },
});
