import { bytes, f64, task, u32 } from 'frame-deadline';

export const add = task({
  input: { a: u32, b: u32, text: bytes(16) },
  output: { sum: f64, text: bytes(16) },
  run(input, output, context) {
    output.sum = input.a + input.b + (context.timeToDeadlineUs() > 1e12 ? 1 : 0);
    output.text.set(input.text.copy());
  },
});

export const fail = task({
  input: { a: u32 },
  run(input) {
    throw new RangeError(`a is ${input.a}`);
  },
});

export const tick = task({ input: {}, output: { count: u32 }, run: () => {} });
