import { task, u32 } from 'frame-deadline';

function run(input, output) {
  output.twice = input.value * 2;
}
// the deadline leaves time for a processor that is emulated
export const double = task({ input: { value: u32 }, output: { twice: u32 }, deadlineMs: 60_000, run });
