import { f64, task, u32 } from 'frame-deadline';

export const SIZE = 16_384;

/** What is done to a range of items: little, so that what surrounds it is seen. */
function pass(values, from, to) {
  for (let i = from; i < to; i++) values[i] = values[i] * 0.999 + 0.001;
}

/** The batch form: one job, its handler gets a range. */
export const range = task({
  input: { from: u32, to: u32 },
  run: ({ from, to }, _output, { shared }) => pass(shared.values, from, to),
});

/** The same loop without a scheduler around it, in the same thread, so many times. */
export const bare = task({
  input: { items: u32, times: u32 },
  output: { nsPerItem: f64 },
  run({ items, times }, output, { shared }) {
    const took = new Float64Array(times);
    for (let i = 0; i < times; i++) {
      const start = performance.now();
      pass(shared.values, 0, items);
      took[i] = performance.now() - start;
    }
    took.sort();
    output.nsPerItem = (took[times >> 1] * 1e6) / items;
  },
});
