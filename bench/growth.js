import { createScheduler } from 'frame-deadline';
import { isolate, NOT_ISOLATED, release } from './harness/pin.js';
import { Random } from './harness/random.js';
import { benchScheduler, joinAsleep, joinSpinning } from './harness/scheduler.js';
import { row, spread } from './harness/stats.js';

export const describe = 'what a job costs with more workers, more lanes, and more jobs in flight';

const WORKERS = [1, 2, 4, 8];
const LANES = [1, 2, 4, 8, 16, 32, 64];
const IN_FLIGHT = [1, 4, 16, 64, 256, 1024, 4096];
const JOBS = 64;
const CAPACITY = 4096;
const MIN_DRAINS = 3;
const DEADLINE = { deadlineMs: 1000 };
const tasks = new URL('./tasks/echo.tasks.js', import.meta.url);

export async function run({ quick }) {
  const rounds = quick ? 2 : 7;
  const ms = quick ? 20 : 150;
  const points = [...workerPoints(), ...lanePoints(), ...frameSizePoints(), ...drainPoints()];
  for (const [i, point] of points.entries()) point.name = `point${i}.`;
  let isolated = true;
  const rows = [];
  const notes = [];
  for (const [series, list] of grouped(points)) {
    for (const point of list) Object.assign(point, await point.open(point.name), { costs: [] });
    for (const point of list) point.pass(ms);
    for (let round = 0; round < rounds; round++) {
      for (const point of list) {
        isolated = isolate(point.name) && isolated;
        point.costs.push(point.pass(ms));
        release();
      }
    }
    for (const { close } of list) await close();
    rows.push(...list.map(({ what, costs }) => row(what, 'ns a job', costs)));
    notes.push(...cliff(series, list));
  }
  notes.push(isolated ? 'host on CPU 0; one worker on CPU 1, several unbound; all SCHED_FIFO' : NOT_ISOLATED);
  notes.push('workers: host asleep, workers park at once; empty jobs; on fewer CPUs than workers they share CPUs');
  notes.push('lanes: one worker serves all; host polls');
  notes.push('drain: the worker is held until all jobs are there; from the end of the hold to the end of the last');
  return { rows, notes };
}

function grouped(points) {
  const map = new Map();
  for (const point of points) map.set(point.series, [...(map.get(point.series) ?? []), point]);
  return map;
}

const median = (values) => spread(values).median;

/** The steps at which a job's cost more than doubles from one size to the next. */
function cliff(series, list) {
  return list.slice(1).flatMap(({ n, costs }, i) => {
    const factor = median(costs) / median(list[i].costs);
    return factor <= 2
      ? []
      : [`CLIFF: ${series}: from ${list[i].n} to ${n} a job costs ${factor.toFixed(1)} times as much`];
  });
}

/** Nanoseconds a job, of as many frames as fit in `ms`. */
function timed(ms, jobsPerFrame, frame) {
  const start = performance.now();
  let jobs = 0;
  let tookMs = 0;
  for (; tookMs < ms; tookMs = performance.now() - start, jobs += jobsPerFrame) frame();
  return (tookMs * 1e6) / jobs;
}

function workerPoints() {
  return WORKERS.map((n) => ({
    ...{ series: 'workers', n, what: `${n} workers, frames of 256` },
    async open(name) {
      const { scheduler, tasks: lane } = await benchScheduler({ name, workers: n, spinUs: 0, capacitySlots: 1024 });
      const pass = (ms) => timed(ms, 256, () => oneFrame(scheduler, [lane.empty], 256, joinAsleep));
      return { pass, close: () => scheduler.close() };
    },
  }));
}

function lanePoints() {
  return ['all lanes used', 'one lane used'].flatMap((use) =>
    LANES.map((n) => ({
      ...{ series: `lanes, ${use}`, n, what: `${n} lanes, ${use}, frames of ${JOBS}` },
      async open(name) {
        const names = Array.from({ length: n }, (_, i) => `lane${i}`);
        const lane = { tasks, load: () => import(tasks), deadlineMs: 1000, capacitySlots: 256 };
        const scheduler = await createScheduler({
          lanes: Object.fromEntries(names.map((name) => [name, lane])),
          workers: [{ lanes: names, spinUs: 50, name }],
        });
        const handles = names.map((name) => scheduler.lanes[name].empty);
        const used = use === 'one lane used' ? handles.slice(0, 1) : handles;
        const pass = (ms) => timed(ms, JOBS, () => oneFrame(scheduler, used, JOBS, joinSpinning));
        return { pass, close: () => scheduler.close() };
      },
    })),
  );
}

function frameSizePoints() {
  return IN_FLIGHT.map((n) => ({
    ...{ series: 'jobs a frame', n, what: `frames of ${n}` },
    async open(name) {
      const { scheduler, tasks: lane } = await benchScheduler({
        name,
        spinUs: 50,
        capacitySlots: CAPACITY,
        framesInFlight: 1,
      });
      const pass = (ms) => timed(ms, n, () => oneFrame(scheduler, [lane.empty], n, joinSpinning));
      return { pass, close: () => scheduler.close() };
    },
  }));
}

function oneFrame(scheduler, handles, size, join) {
  const frame = scheduler.beginFrame(DEADLINE);
  for (let i = 0; i < size; i++) {
    const handle = handles[i % handles.length];
    handle.input.x = i;
    if (frame.submit(handle).refused) throw new Error('a job was refused');
  }
  join(frame);
}

function drainPoints() {
  return ['in order', 'at random'].flatMap((order) =>
    IN_FLIGHT.filter((n) => n < CAPACITY)
      .concat(CAPACITY - 1)
      .map((n) => ({
        ...{ series: `drain, deadlines ${order}`, n, what: `drain of ${n}, deadlines ${order}` },
        async open(name) {
          const { scheduler, tasks: lane } = await benchScheduler({ name, spinUs: 50, capacitySlots: CAPACITY });
          const random = new Random(n);
          const deadlineMs = order === 'in order' ? () => 1000 : () => 100 + random.next() * 9000;
          const pass = (ms) => {
            const untilMs = performance.now() + ms;
            const costs = [];
            while (costs.length < MIN_DRAINS || performance.now() < untilMs) {
              costs.push(drain(scheduler, lane, n, deadlineMs));
            }
            return median(costs);
          };
          return { pass, close: () => scheduler.close() };
        },
      })),
  );
}

const HOLD = { deadlineMs: 0.1 };
const MAX_HOLD_US = 800_000;
const OPTIONS = { deadlineMs: 0 };

/** The hold keeps the worker until `n` jobs are there; if it was too short, once more with a longer one. */
function drain(scheduler, lane, n, deadlineMs) {
  for (let holdUs = 100 + 3 * n; holdUs < MAX_HOLD_US; holdUs *= 2) {
    const ns = drainOnce(scheduler, lane, n, deadlineMs, holdUs);
    if (ns !== null) return ns;
  }
  throw new Error('the machine is too busy: the hold always ended before all jobs were there');
}

function drainOnce(scheduler, { busy, empty }, n, deadlineMs, holdUs) {
  busy.input.us = holdUs;
  const hold = scheduler.submit(busy, undefined, HOLD);
  const jobs = new Array(n);
  for (let i = 0; i < n; i++) {
    empty.input.x = i;
    OPTIONS.deadlineMs = deadlineMs();
    jobs[i] = scheduler.submit(empty, undefined, OPTIONS);
    if (jobs[i].refused) throw new Error('a job was refused');
  }
  const wasHeld = hold.outcome === 'pending';
  while (hold.outcome === 'pending');
  const start = performance.now();
  for (let i = 0; i < n; i++) while (jobs[i].outcome === 'pending');
  const tookNs = (performance.now() - start) * 1e6;
  hold.release();
  for (let i = 0; i < n; i++) jobs[i].release();
  return wasHeld ? tookNs / n : null;
}
