import { i32, task, u8, u32 } from 'frame-deadline';
import * as functions from './work.js';

export const echo = task({
  input: { bytes: u8.array(64) },
  output: { number: u32 },
  run(input, output) {
    output.number = functions.echo(input.bytes);
  },
});

export const empty = task({
  input: { x: i32 },
  output: { y: i32 },
  run(input, output) {
    output.y = functions.empty(input.x);
  },
});

export const work = task({
  input: { steps: u32 },
  output: { steps: u32 },
  run(input, output) {
    output.steps = functions.work(input.steps);
  },
});
