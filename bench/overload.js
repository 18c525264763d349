import { createScheduler } from 'frame-deadline';
import { stepsFor } from './harness/cpu-steps.js';
import { Random } from './harness/random.js';
import { row } from './harness/stats.js';

export const describe =
  'twice the work that a worker can do: what is on time, what it is worth, and how soon it is over';

const JOB_US = 500;
const DEADLINE_MS = 16;
const SEED = 42;
const BACK_TO_BACK = 400;
/** Every fourth job is worth ten times the others. */
const VITAL_EVERY = 4;
const VITAL_VALUE = 10;
/** Recovered: no miss for so long. */
const CALM_MS = 100;
const tasks = new URL('./tasks/overload.tasks.js', import.meta.url);

const plain = { tasks, capacitySlots: 4096 };
/** The first tells the capacity of its round. FIFO: all have one deadline far away, so they run as submitted; the bench judges by the true one. */
const RULES = [
  ['FIFO', { plain, vital: plain }, true],
  ['earliest deadline first', { plain, vital: plain }, false],
  ['  with onExpired: drop', { plain: { ...plain, onExpired: 'drop' }, vital: { ...plain, onExpired: 'drop' } }, false],
  [
    'admission, importance',
    {
      plain: { ...plain, admission: 'estimate' },
      vital: { ...plain, admission: 'estimate', importance: VITAL_VALUE },
    },
    false,
  ],
];

/** What `sharesOf` finds, in words, and its unit. */
const SHARES = [
  ['onTimePercent', 'on time, of what ran', '%'],
  ['goodputPercent', 'goodput, of the capacity', '%'],
  ['timePercent', "the worker's time in jobs on time", '%'],
  ['valuePercent', 'value, of what could be had', '%'],
  ['recoveryFrames', 'last miss, frames after the overload', 'frames'],
  ['laterMisses', 'misses once it had recovered', ''],
];

export async function run({ quick }) {
  const overloadMs = quick ? 400 : 2000;
  const rounds = quick ? 2 : 5;
  const steps = stepsFor(JOB_US);
  const found = RULES.map(() => []);
  for (let round = 0; round < rounds; round++) {
    let capacity = null;
    for (const [i, [, lanes, isFifo]] of RULES.entries()) {
      const result = await measure(lanes, isFifo, steps, overloadMs);
      capacity ??= result.ended;
      found[i].push(sharesOf(result, capacity));
    }
  }
  const rows = RULES.flatMap(([what], i) =>
    SHARES.map(([share, words, unit], at) => {
      const values = found[i].map((shares) => shares[share]);
      return row(at === 0 ? `${what}: ${words}` : `  ${words}`, unit, values);
    }),
  );
  return {
    rows,
    notes: [
      `jobs of ${JOB_US} µs of work on one worker, twice as many as it can do for ${overloadMs} ms, then half as many; deadlines ${DEADLINE_MS} ms ± 25 %`,
      'capacity: as many as FIFO gets done meanwhile in the same round, late or not: it never waits, and the host is as busy',
      `value: every fourth job is worth ${VITAL_VALUE}, the others 1; recovered: no miss for ${CALM_MS} ms`,
    ],
  };
}

/** Microseconds from job to job while the worker has nothing else to do. */
async function jobTime(scheduler, steps) {
  const from = performance.now();
  const jobs = Array.from({ length: BACK_TO_BACK }, () =>
    scheduler.submit(scheduler.lanes.plain.job, { steps }, { deadlineMs: 60_000 }),
  );
  await Promise.all(jobs.map((job) => job.done));
  for (const job of jobs) job.release();
  return ((performance.now() - from) * 1000) / BACK_TO_BACK;
}

/** Submits at the rate for so long, in turns of about a millisecond, and looks what became of each job. */
async function measure(lanes, isFifo, steps, overloadMs) {
  const scheduler = await createScheduler({ lanes, workers: [{ lanes: ['plain', 'vital'], spinUs: 50 }], spares: 0 });
  const random = new Random(SEED);
  const entries = [];
  const submit = (isVital) => {
    const nowMs = performance.timeOrigin + performance.now();
    const relativeMs = DEADLINE_MS * (0.75 + 0.5 * random.next());
    const { job: task } = scheduler.lanes[isVital ? 'vital' : 'plain'];
    const job = scheduler.submit(task, { steps }, { deadlineMs: isFifo ? 60_000 : relativeMs });
    const entry = { job, value: isVital ? VITAL_VALUE : 1, deadlineMs: nowMs + relativeMs, endedMs: 0, executionUs: 0 };
    entries.push(entry);
    void job.done.then(() => {
      if (job.outcome === 'onTime' || job.outcome === 'late') {
        entry.endedMs = job.output.endedMs;
        entry.executionUs = job.executionUs;
      }
      job.release();
    });
  };
  // compiled, and measured, before it counts
  for (let i = 0; i < 200; i++) {
    submit(false);
    await entries.at(-1).job.done;
  }
  entries.length = 0;
  const jobUs = await jobTime(scheduler, steps);
  const startMs = performance.timeOrigin + performance.now();
  const overMs = startMs + overloadMs;
  let owed = 0;
  let lastMs = startMs;
  for (let nowMs = startMs; nowMs < overMs + overloadMs; nowMs = performance.timeOrigin + performance.now()) {
    owed += ((nowMs - lastMs) * 1000 * (nowMs < overMs ? 2 : 0.5)) / jobUs;
    lastMs = nowMs;
    for (; owed >= 1; owed--) submit(entries.length % VITAL_EVERY === 0);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await scheduler.close({ drainMs: 60_000 });
  await new Promise((resolve) => setImmediate(resolve));
  const accepted = entries.filter(({ job }) => job.refused === false);
  const ran = accepted.filter(({ endedMs }) => endedMs > 0);
  const isGood = ({ endedMs, deadlineMs }) => endedMs > 0 && endedMs <= deadlineMs;
  const missesMs = accepted.filter((entry) => !isGood(entry)).map(({ deadlineMs }) => deadlineMs);
  const calmFromMs = missesMs
    .filter((atMs) => atMs > overMs)
    .sort((a, b) => a - b)
    .reduce((fromMs, atMs) => (atMs - fromMs <= CALM_MS ? atMs : fromMs), overMs);
  return {
    overloadMs,
    onTimePercent: (100 * ran.filter(isGood).length) / ran.length,
    ended: ran.filter(({ endedMs }) => endedMs <= overMs).length,
    good: ran.filter((entry) => isGood(entry) && entry.endedMs <= overMs),
    vital: entries.filter(({ value, deadlineMs }) => value > 1 && deadlineMs <= overMs).length,
    recoveryFrames: (calmFromMs - overMs) / DEADLINE_MS,
    laterMisses: missesMs.filter((atMs) => atMs > calmFromMs).length,
  };
}

/** `capacity`: jobs that the worker could end in the overload. */
function sharesOf({ overloadMs, good, vital, ...rest }, capacity) {
  const sum = (of) => good.reduce((total, entry) => total + of(entry), 0);
  return {
    ...rest,
    goodputPercent: (100 * good.length) / capacity,
    timePercent: sum(({ executionUs }) => executionUs) / 10 / overloadMs,
    valuePercent: (100 * sum(({ value }) => value)) / (vital * VITAL_VALUE + Math.max(capacity - vital, 0)),
  };
}
