import { task, u32 } from '../../../dist/web.js';

let ticks = 0;

/** Notes when it ran. */
export const tick = task({
  input: {},
  run(_input, _output, { shared }) {
    shared.ticksMs[ticks++ % shared.ticksMs.length] = performance.timeOrigin + performance.now();
  },
});

export const twice = task({
  input: { x: u32 },
  output: { y: u32 },
  run: ({ x }, output) => {
    output.y = x * 2;
  },
});
