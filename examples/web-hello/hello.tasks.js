import { f64, task, u32 } from 'frame-deadline';

/** How fast points of one row leave the Mandelbrot set, summed: real work of about a millisecond. */
export const row = task({
  input: { y: f64, points: u32 },
  output: { steps: u32 },
  run(input, output) {
    let steps = 0;
    for (let point = 0; point < input.points; point++) {
      const x = (point / input.points) * 3 - 2;
      let re = 0;
      let im = 0;
      for (let i = 0; i < 100 && re * re + im * im < 4; i++, steps++) {
        const next = re * re - im * im + x;
        im = 2 * re * im + input.y;
        re = next;
      }
    }
    output.steps = steps;
  },
});
