import { bytes, f64, task, u32 } from 'frame-deadline';

// Handlers that keep what is theirs only until they return, and touch it in the next job.

let kept = null;

/** `what`: 0 keeps everything; else it touches one thing that the job before kept, and tells by what it throws. */
export const keep = task({
  input: { what: u32, value: u32, values: u32.array(4), text: bytes(8) },
  output: { value: u32, values: f64.array(4), text: bytes(8) },
  run(input, output, context) {
    const { what } = input;
    if (what === 0) {
      kept = { input, output, context, values: output.values, text: input.text };
      output.value = input.value;
      output.values.set([1, 2, 3, 4]);
      output.text.set(input.text.copy());
      return;
    }
    output.value = 1;
    if (what === 1) output.value = kept.input.value;
    if (what === 2) kept.output.value = 99;
    if (what === 3) kept.context.timeToDeadlineUs();
    if (what === 4) kept.values.set([9]);
    if (what === 5) output.value = kept.output.values[0];
    if (what === 6) kept.text.copy();
    // an element of an array that was kept: nothing throws, and nothing is read or written
    if (what === 7) {
      kept.values[0] = 9;
      output.value = kept.values[0] === undefined ? 0 : 1;
    }
  },
});
