import { f64, task, u32 } from 'frame-deadline';

// change this while it runs
const SPEED = 0.05;

export const row = task({
  input: { y: u32, frame: u32 },
  output: { brightness: f64 },
  run(input, output) {
    output.brightness = 0.5 + 0.5 * Math.sin(input.frame * SPEED + input.y);
  },
});
