import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { createScheduler } from 'frame-deadline';
import { ISOLATED, isolate, NOT_ISOLATED, release } from './harness/pin.js';
import { row } from './harness/stats.js';
import { BURST_ENDED, BURST_REQUESTS, BURST_STARTED, BURST_US, BURST_WORDS } from './workers/burst.js';

export const describe =
  'misses of which the cause is known because they were provoked: how many get that as the primary cause';

const DEADLINE_MS = 16;
const WARM_UP = 60;
/** Between trials: a real-time thread that never sleeps would be throttled (sched(7), 95 % of a second). */
const PAUSE_MS = 4;
const tasks = new URL('./tasks/faults.tasks.js', import.meta.url);

/** Holds the main thread. */
function hold(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/**
 * The faults. `provoke` makes one miss of the task `victim`; `control` is the same without what is at fault, and must
 * be on time: so the cause is known from how the trial is made, not from what was measured in it.
 */
const FAULTS = {
  overrun: {
    victim: 'busy',
    provoke: (frame, lane) => frame.submit(lane.busy, { us: 20_000 }),
    control: (frame, lane) => frame.submit(lane.busy, { us: 4000 }),
  },
  waitingBehind: {
    victim: 'small',
    culprit: 'greedy',
    provoke(frame, lane) {
      frame.submit(lane.greedy, { us: 19_000 });
      return frame.submit(lane.small, {});
    },
    control: (frame, lane) => frame.submit(lane.small, {}),
  },
  lateSubmit: {
    victim: 'busy',
    culprit: 'frame callback',
    provoke(frame, lane) {
      hold(14);
      return frame.submit(lane.busy, { us: 4000 });
    },
    control: (frame, lane) => frame.submit(lane.busy, { us: 4000 }),
  },
  preempted: {
    victim: 'disturbed',
    needsBurst: true,
    provoke: (frame, lane) => frame.submit(lane.disturbed, { us: 3000, burstUs: 18_000 }),
    control: (frame, lane) => frame.submit(lane.disturbed, { us: 3000, burstUs: 0 }),
  },
  wakeup: {
    victim: 'small',
    needsBurst: true,
    provoke(frame, lane, burst) {
      startBurst(burst, 20_000);
      return frame.submit(lane.small, {});
    },
    control: (frame, lane) => frame.submit(lane.small, {}),
  },
  gc: {
    victim: 'storm',
    provoke: (frame, lane) => frame.submit(lane.storm, { objects: 20_000, rounds: 10, keep: 1 }),
    control: (frame, lane) => frame.submit(lane.storm, { objects: 20_000, rounds: 10, keep: 0 }),
    after: (frame, lane) => frame.submit(lane.tidy, {}),
  },
};

/** Waits until the thread above the worker burns on the worker's CPU. */
function startBurst(burst, us) {
  const started = Atomics.load(burst, BURST_STARTED);
  Atomics.store(burst, BURST_US, us);
  Atomics.add(burst, BURST_REQUESTS, 1);
  Atomics.notify(burst, BURST_REQUESTS);
  while (Atomics.load(burst, BURST_STARTED) === started);
}

async function startBurstThread(cpu) {
  const burst = new Int32Array(new SharedArrayBuffer(BURST_WORDS * 4));
  const thread = new Worker(new URL('./workers/burst.js', import.meta.url), { workerData: { burst, cpu } });
  await Atomics.waitAsync(burst, BURST_ENDED, 0).value;
  return { burst, thread, isAbove: Atomics.load(burst, BURST_STARTED) >= 0 };
}

export async function run({ quick }) {
  const wanted = quick ? 20 : 200;
  const cpu = 1; // where `isolate` puts the worker
  const { burst, thread, isAbove } = await startBurstThread(cpu);
  const scheduler = await createScheduler({
    lanes: { lane: { tasks, load: () => import(tasks), deadlineMs: DEADLINE_MS, shared: { burst } } },
    workers: [{ lanes: ['lane'], name: 'faults' }],
  });
  const isAlone = isolate('faults');
  const { lane } = scheduler.lanes;
  const rows = [];
  const matrix = [];
  const notes = [];
  for (const [cause, fault] of Object.entries(FAULTS)) {
    if (fault.needsBurst && !isAbove) {
      notes.push(`SKIPPED ${cause}: no thread may stand above the worker (chrt and taskset, missing or refused)`);
      continue;
    }
    const { found, trials, misses, controlMissed, culprits } = await measure(scheduler, lane, fault, wanted, burst);
    rows.push(row(cause, '%', [(100 * (found.get(cause) ?? 0)) / misses], `of ${misses} misses`));
    matrix.push([cause, found]);
    const named = fault.culprit === undefined ? '' : `; culprit ${fault.culprit} named in ${culprits}`;
    notes.push(`${cause}: ${misses} of ${trials} trials missed, without the fault ${controlMissed}${named}`);
  }
  await scheduler.close();
  await thread.terminate();
  if (isAlone) release();
  notes.unshift(...confusion(matrix));
  notes.push(isAlone ? ISOLATED : NOT_ISOLATED, `deadline ${DEADLINE_MS} ms, no budget declared`);
  return { rows, notes };
}

/** Provokes misses, one a frame, until there are enough, and counts them by the primary cause that they got. */
async function measure(scheduler, lane, fault, wanted, burst) {
  for (let i = 0; i < WARM_UP; i++) await trial(scheduler, lane, fault.control, fault, burst);
  const found = new Map();
  let [trials, misses, controlMissed, culprits] = [0, 0, 0, 0];
  while (misses < wanted && trials < 2 * wanted) {
    trials++;
    if (!(await trial(scheduler, lane, fault.control, fault, burst)).isOnTime) controlMissed++;
    const { isOnTime, frameNumber } = await trial(scheduler, lane, fault.provoke, fault, burst);
    if (isOnTime) continue;
    misses++;
    const miss = scheduler.recentMisses().findLast((one) => one.task === fault.victim && one.frame === frameNumber);
    const cause = miss?.cause ?? 'no record';
    found.set(cause, (found.get(cause) ?? 0) + 1);
    if (miss?.culprit?.task === fault.culprit) culprits++;
  }
  return { found, trials, misses, controlMissed, culprits };
}

async function trial(scheduler, lane, submit, { after }, burst) {
  const frame = scheduler.beginFrame({ deadlineMs: DEADLINE_MS });
  const job = submit(frame, lane, burst);
  frame.joinSync();
  const result = { isOnTime: job.outcome === 'onTime', frameNumber: frame.number };
  if (after !== undefined) {
    const then = scheduler.beginFrame({ deadlineMs: 1000 });
    after(then, lane);
    then.joinSync();
  }
  await sleep(PAUSE_MS);
  return result;
}

/** Which cause was provoked, down; which was told, across. */
function confusion(matrix) {
  const told = [...new Set(matrix.flatMap(([cause, found]) => [cause, ...found.keys()]))];
  const width = Math.max(...told.map((cause) => cause.length), 'provoked \\ told'.length) + 2;
  const line = (cells) =>
    cells
      .map((cell) => String(cell).padEnd(width))
      .join('')
      .trimEnd();
  return [
    'confusion matrix:',
    line(['provoked \\ told', ...told]),
    ...matrix.map(([cause, found]) => line([cause, ...told.map((one) => found.get(one) ?? 0)])),
  ];
}
