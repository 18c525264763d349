// A game loop with a fixed time step: physics at 120 Hz in jobs on workers, drawing at 60 Hz with interpolation.
//   node examples/game-loop/main.js
import { createScheduler } from 'frame-deadline';
import { BATCH } from './physics.tasks.js';

const seconds = Number(process.env.EXAMPLE_SECONDS ?? 3);
const BODIES = 1024;
const STEP_S = 1 / 120;
const MAX_STEPS_PER_FRAME = 4;

// The world lies in shared memory: a job's input is written before any job of its frame has run, so what one job makes
// for another goes this way.
const sharedFloats = () => new Float32Array(new SharedArrayBuffer(BODIES * Float32Array.BYTES_PER_ELEMENT));
const heights = sharedFloats();
const speeds = sharedFloats();
heights.forEach((_, i) => {
  heights[i] = 1 + (i % 10);
});
const before = heights.slice(); // one step ago, to draw between the two; the host's own

const scheduler = await createScheduler({
  lanes: {
    physics: {
      tasks: new URL('./physics.tasks.js', import.meta.url),
      load: () => import('./physics.tasks.js'),
      shared: { heights, speeds },
    },
  },
});
const { integrate, measure } = scheduler.lanes.physics;

/** One fixed step: a job for each batch, a barrier, and a job that needs all of them. Gives the mean height. */
async function step() {
  before.set(heights); // nothing runs between two steps
  const frame = scheduler.beginFrame({ deadlineMs: 8 });
  for (let first = 0; first < BODIES; first += BATCH) {
    // the slot itself is filled: nothing is allocated
    const { input } = integrate;
    input.first = first;
    input.count = BATCH;
    input.stepS = STEP_S;
    frame.submit(integrate); // a batch that is refused, or lost, is not moved in this step
  }
  frame.barrier();
  const summary = frame.submit(measure, {});
  await frame.join();
  const { outcome } = summary;
  return outcome === 'onTime' || outcome === 'late' ? summary.output.meanHeightM : Number.NaN;
}

let behindS = 0;
let lastUs = 0;
let steps = 0;
let drawnHeightM = 0;
let meanHeightM = 0;
await scheduler.loop({ hz: 60, signal: AbortSignal.timeout(seconds * 1000) }, async (frame) => {
  behindS += lastUs === 0 ? 0 : (frame.startUs - lastUs) / 1e6;
  lastUs = frame.startUs;
  for (let n = 0; behindS >= STEP_S && n < MAX_STEPS_PER_FRAME; n++) {
    meanHeightM = await step();
    steps++;
    behindS -= STEP_S;
  }
  if (behindS > MAX_STEPS_PER_FRAME * STEP_S) behindS = 0; // too far behind: let time slip rather than spiral
  const between = behindS / STEP_S;
  drawnHeightM = before[0] + (heights[0] - before[0]) * between; // what a renderer would draw
});

const { loops, lanes } = scheduler.snapshot();
console.log(
  `${loops[0]?.frames} frames, ${steps} steps of ${BODIES} bodies, ` +
    `first body drawn at ${drawnHeightM.toFixed(2)} m, mean height ${meanHeightM.toFixed(2)} m`,
);
console.log(`steps missed their deadline: ${lanes.physics.misses} jobs of ${lanes.physics.accepted}`);
await scheduler.close();
