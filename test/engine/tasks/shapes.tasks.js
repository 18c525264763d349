// Ten tasks of ten schemas, as a game has them: all kinds of fields, with and without output.
import { bytes, f32, f64, i32, task, u8, u32 } from 'frame-deadline';

let sum = 0;
const take = (value) => {
  sum = (sum + value) | 0;
};

export const nothing = task({ input: {}, run() {} });
export const one = task({ input: { x: i32 }, run: (input) => take(input.x) });
export const echo = task({
  input: { x: i32 },
  output: { y: i32 },
  run(input, output) {
    output.y = input.x;
  },
});
export const place = task({
  input: { x: f32, y: f32, z: f32 },
  output: { length: f64 },
  run(input, output) {
    output.length = input.x * input.x + input.y * input.y + input.z * input.z;
  },
});
export const flags = task({ input: { a: u8, b: u8, c: u32 }, run: (input) => take(input.a + input.b) });
export const wide = task({
  input: { x: f64, index: u32 },
  output: { values: f32.array(16) },
  run(input, output) {
    const { values } = output;
    for (let i = 0; i < 16; i++) values[i] = input.x + i;
  },
});
export const matrix = task({ input: { x: u32, values: f32.array(16) }, run: (input) => take(input.values[3]) });
export const text = task({
  input: { x: u32 },
  output: { text: bytes(32), lines: u32 },
  run(input, output) {
    output.lines = input.x & 7;
  },
});
export const pair = task({
  input: { x: i32, label: bytes(16) },
  output: { twice: i32 },
  run(input, output) {
    output.twice = input.x * 2;
  },
});
export const last = task({
  input: { first: u32, count: u32 },
  output: { sum: u32 },
  run(input, output) {
    let of = 0;
    for (let i = 0; i < 8; i++) of = (of + input.first) | 0;
    output.sum = of >>> 0;
  },
});
