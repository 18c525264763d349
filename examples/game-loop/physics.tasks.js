import { f32, task, u32 } from 'frame-deadline';

/** Bodies of one batch: one job moves as many as fit in a slot, which costs far less than a job for each. */
export const BATCH = 64;

/** Moves a batch by one fixed step, with gravity and a floor. */
export const integrate = task({
  input: { stepS: f32, count: u32, height: f32.array(BATCH), speed: f32.array(BATCH) },
  output: { height: f32.array(BATCH), speed: f32.array(BATCH) },
  budgetUs: 500,
  run(input, output) {
    for (let i = 0; i < input.count; i++) {
      let speed = input.speed[i] - 9.81 * input.stepS;
      let height = input.height[i] + speed * input.stepS;
      if (height < 0) {
        height = -height;
        speed = -speed * 0.8;
      }
      output.height[i] = height;
      output.speed[i] = speed;
    }
  },
});

/** Sums up a step. It runs behind a barrier: all batches have been moved by then. */
export const measure = task({
  input: { total: f32, bodies: u32 },
  output: { meanHeight: f32 },
  run(input, output) {
    output.meanHeight = input.total / input.bodies;
  },
});
