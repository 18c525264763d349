// A game loop with a fixed time step: physics at 120 Hz in jobs on workers, drawing at 60 Hz with interpolation.
//   node examples/game-loop/main.js
import { createScheduler } from 'frame-deadline';
import { BATCH } from './physics.tasks.js';

const seconds = Number(process.env.EXAMPLE_SECONDS ?? 3);
const BODIES = 1024;
const STEP_S = 1 / 120;
const MAX_STEPS_PER_FRAME = 4;

const scheduler = await createScheduler({
  lanes: {
    physics: { tasks: new URL('./physics.tasks.js', import.meta.url), load: () => import('./physics.tasks.js') },
  },
});
const { integrate, measure } = scheduler.lanes.physics;

const height = Float32Array.from({ length: BODIES }, (_, i) => 1 + (i % 10));
const speed = new Float32Array(BODIES);
const before = Float32Array.from(height); // positions one step ago, to draw between the two

/** One fixed step: a job for each batch, a barrier, and a job that needs all of them. */
async function step() {
  const frame = scheduler.beginFrame({ deadlineMs: 8 });
  const jobs = [];
  for (let first = 0; first < BODIES; first += BATCH) {
    // the slot itself is filled: nothing is allocated or copied twice
    const { input } = integrate;
    input.stepS = STEP_S;
    input.count = BATCH;
    input.height.set(height.subarray(first, first + BATCH));
    input.speed.set(speed.subarray(first, first + BATCH));
    jobs.push(frame.submit(integrate));
  }
  frame.barrier();
  const summary = frame.submit(measure, { total: height.reduce((sum, h) => sum + h, 0), bodies: BODIES });
  if (!(await frame.join())) return 0;
  before.set(height);
  jobs.forEach((job, batch) => {
    if (job.outcome !== 'onTime' && job.outcome !== 'late') return; // the batch keeps its old state
    height.set(job.output.height, batch * BATCH);
    speed.set(job.output.speed, batch * BATCH);
  });
  return summary.outcome === 'refused' ? 0 : 1;
}

let behindS = 0;
let lastUs = 0;
let steps = 0;
let drawnHeight = 0;
await scheduler.loop({ hz: 60, signal: AbortSignal.timeout(seconds * 1000) }, async (frame) => {
  behindS += lastUs === 0 ? 0 : (frame.startUs - lastUs) / 1e6;
  lastUs = frame.startUs;
  for (let n = 0; behindS >= STEP_S && n < MAX_STEPS_PER_FRAME; n++) {
    steps += await step();
    behindS -= STEP_S;
  }
  if (behindS > MAX_STEPS_PER_FRAME * STEP_S) behindS = 0; // too far behind: let time slip rather than spiral
  const between = behindS / STEP_S;
  drawnHeight = before[0] + (height[0] - before[0]) * between; // what a renderer would draw
});

const { loops, lanes } = scheduler.snapshot();
console.log(
  `${loops[0]?.frames} frames, ${steps} steps of ${BODIES} bodies, first body drawn at ${drawnHeight.toFixed(2)} m`,
);
console.log(`steps missed their deadline: ${lanes.physics.misses} jobs of ${lanes.physics.accepted}`);
await scheduler.close();
