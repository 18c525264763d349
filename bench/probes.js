import { clockSince, newEpochUs } from '../dist/host/node/clock.js';
import { NodeThreadProbe } from '../dist/host/node/thread-probe.js';
import { measureWakeupFloorUs } from '../dist/worker/wakeup-floor.js';
import { nsPerIteration } from './harness/overhead.js';
import { ISOLATED, isolate, NOT_ISOLATED, release } from './harness/pin.js';
import { benchScheduler, joinSpinning, runFrames } from './harness/scheduler.js';
import { row } from './harness/stats.js';

export const describe = 'what it costs to know why a deadline was missed: the signals of a thread, and a missed job';

const JOBS = 64;

/** Nanoseconds a job of frames of empty jobs, whose deadline is what is given. */
function nsPerJob(scheduler, task, frames, deadline) {
  const start = performance.now();
  runFrames(scheduler, task, frames, JOBS, joinSpinning, deadline);
  return ((performance.now() - start) * 1e6) / (frames * JOBS);
}

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const n = quick ? 2000 : 30_000;
  const { scheduler, tasks } = await benchScheduler({ spinUs: 50 });
  const frames = quick ? 500 : 5000;
  nsPerJob(scheduler, tasks.empty, frames);
  const isolated = isolate('bench');
  const probe = new NodeThreadProbe();
  const clock = clockSince(newEpochUs());
  const times = (f) => (count) => {
    for (let i = 0; i < count; i++) f();
    return count;
  };
  const markNs = nsPerIteration(
    times(() => probe.mark()),
    n,
    rounds,
  );
  const rows = [
    row('remember all signals (after a job, at most once in a millisecond)', 'ns', markNs),
    row(
      '  as a share of a busy thread',
      '%',
      markNs.map((ns) => ns / 1e4),
    ),
    row(
      'remember CPU time and run delay alone',
      'ns',
      nsPerIteration(
        times(() => probe.markTimes()),
        n,
        rounds,
      ),
    ),
    row(
      'read all signals (a missed job)',
      'ns',
      nsPerIteration(
        times(() => probe.read()),
        n,
        rounds,
      ),
    ),
    row(
      'floor of wake-ups, measured when a worker starts',
      'µs',
      Array.from({ length: rounds }, () => measureWakeupFloorUs(clock)),
    ),
  ];
  const [onTime, missed] = [[], []];
  for (let round = 0; round < rounds; round++) {
    onTime.push(nsPerJob(scheduler, tasks.empty, frames));
    missed.push(nsPerJob(scheduler, tasks.empty, frames, EXPIRED));
  }
  if (isolated) release();
  await scheduler.close();
  rows.push(row('an empty job, on time', 'ns', onTime));
  rows.push(row('an empty job, missed: explained and recorded', 'ns', missed));
  const { preempted, gc, onCpu } = probe.reports;
  const source = (what, { source, reason }) => `${what}: ${source ?? `none (${reason})`}`;
  return {
    rows,
    notes: [
      isolated ? ISOLATED : NOT_ISOLATED,
      [source('run delay', preempted), source('CPU time', onCpu), source('collections', gc)].join('; '),
      'a job that is on time reads no signal; one shorter than 50 µs neither when it is missed',
    ],
  };
}

const EXPIRED = { deadlineMs: 0.001 };
