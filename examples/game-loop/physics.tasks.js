import { f32, task, u32 } from 'frame-deadline';

/** Bodies of one batch: one job for many of them costs far less than a job for each. */
export const BATCH = 64;

/** @typedef {{ heights: Float32Array, speeds: Float32Array }} World What the lane shares: the same memory in all threads. */

/** Moves a batch by one fixed step, with gravity and a floor. No other job of the step touches these bodies. */
export const integrate = task({
  input: { first: u32, count: u32, stepS: f32 },
  budgetUs: 500,
  run({ first, count, stepS }, _output, { shared }) {
    const { heights, speeds } = /** @type {World} */ (shared);
    for (let i = first; i < first + count; i++) {
      let speed = speeds[i] - 9.81 * stepS;
      let height = heights[i] + speed * stepS;
      if (height < 0) {
        height = -height;
        speed = -speed * 0.8;
      }
      heights[i] = height;
      speeds[i] = speed;
    }
  },
});

/** Sums up a step. It runs behind a barrier: all batches have been moved, and what they wrote is seen here. */
export const measure = task({
  input: {},
  output: { meanHeightM: f32 },
  run(_input, output, { shared }) {
    const { heights } = /** @type {World} */ (shared);
    let total = 0;
    for (let i = 0; i < heights.length; i++) total += heights[i];
    output.meanHeightM = total / heights.length;
  },
});
