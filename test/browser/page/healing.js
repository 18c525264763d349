import { createScheduler } from '../../../dist/web.js';
import { FrameGaps } from './frame-gaps.js';

const TASKS = new URL('./faults.tasks.js', import.meta.url);
const JOBS_PER_LANE = 4;
const PATIENCE_MS = 30_000;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(holds, what) {
  for (const start = performance.now(); !(await holds()); await sleep(5)) {
    if (performance.now() - start > PATIENCE_MS) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
  }
}

/**
 * A loop of jobs on two lanes with two workers each: first undisturbed, then a worker of the one ends and one of the
 * other hangs, in turn, as given in `faults`. Tells the page's own frames of both times and what became of all jobs.
 */
export async function healing({ undisturbedMs, faults }) {
  const lane = { tasks: TASKS };
  const scheduler = await createScheduler({
    hangMs: 100,
    lanes: { dying: lane, hanging: lane },
    workers: [
      { lanes: ['dying'], count: 2 },
      { lanes: ['hanging'], count: 2 },
    ],
  });
  const lanes = scheduler.lanes;
  const outcomes = {};
  let wrong = 0;
  const settle = (job) => {
    outcomes[job.outcome] = (outcomes[job.outcome] ?? 0) + 1;
    if (job.ended && (job.outcome === 'onTime' || job.outcome === 'late') && job.output.y !== 84) wrong++;
  };
  const end = new AbortController();
  const looped = scheduler.loop({ signal: end.signal }, async (frame) => {
    const submitted = [];
    for (let i = 0; i < JOBS_PER_LANE; i++) {
      for (const { twice } of [lanes.dying, lanes.hanging]) submitted.push(frame.submit(twice, { x: 42 }));
    }
    await frame.join({ until: 'deadline' });
    submitted.forEach(settle);
  });

  /** A job comes back on time from this lane. */
  const serves = async ({ twice }) => {
    const job = scheduler.submit(twice, { x: 42 }, { deadlineMs: 60_000 });
    if (job.refused !== false) return false;
    await job.done;
    const { outcome } = job;
    job.release();
    return outcome === 'onTime';
  };
  await until(async () => (await serves(lanes.dying)) && (await serves(lanes.hanging)), 'first jobs');
  await until(() => (scheduler.telemetry().loops[0]?.frames ?? 0) > 10, 'first frames');

  const ticks = () => {
    const { frames, droppedTicks } = scheduler.telemetry().loops[0];
    return { frames, droppedTicks };
  };
  const measure = async (run) => {
    const before = ticks();
    const gaps = new FrameGaps();
    await run();
    const found = gaps.stop();
    const after = ticks();
    return {
      ...found,
      loopFrames: after.frames - before.frames,
      droppedTicks: after.droppedTicks - before.droppedTicks,
    };
  };
  const undisturbed = await measure(() => sleep(undisturbedMs));
  const healed = [];
  const disturbed = await measure(async () => {
    for (const fault of faults) {
      const from = performance.now();
      const on = fault === 'hang' ? lanes.hanging : lanes.dying;
      const job = scheduler.submit(on[fault], {}, { deadlineMs: 60_000 });
      await job.done;
      const settledMs = performance.now() - from;
      await until(() => serves(on), `a job after a worker was told to ${fault}`);
      const replaced = async () => {
        const { workers } = await scheduler.refresh();
        const deaths = workers.reduce((sum, worker) => sum + worker.deaths, 0);
        return deaths === healed.length + 1 && workers.every(({ state }) => state === 'serving');
      };
      await until(replaced, `another worker after one was told to ${fault}`);
      healed.push({ fault, outcome: job.outcome, settledMs, healedMs: performance.now() - from });
      job.release();
    }
  });
  end.abort();
  await looped;
  await until(() => Object.values(scheduler.snapshot().lanes).every(({ inFlight }) => inFlight === 0), 'quiet');
  const { workers } = await scheduler.refresh();
  const counted = Object.fromEntries(
    Object.entries(scheduler.snapshot().lanes).map(([name, { accepted, refused, outcomes: of, missCauses }]) => [
      name,
      { accepted, refused, ended: Object.values(of).reduce((a, b) => a + b, 0), outcomes: of, missCauses },
    ]),
  );
  await scheduler.close();
  return {
    undisturbed,
    disturbed,
    healed,
    outcomes,
    wrong,
    counted,
    workers: workers.map(({ state, deaths, lastDeath }) => ({ state, deaths, lastDeath })),
  };
}
