// Overwrites words of a live scheduler's shared memory and then calls everything that a host can call:
// `node memory.js MODE SECONDS SEED [every]`, MODE `inline` or `threads`. Before each case it writes one line, so that
// whoever watches it knows which one does not end. What is thrown must be an error of this package with a code.
import { writeSync } from 'node:fs';
import { createScheduler, FrameDeadlineError } from 'frame-deadline';
import { prometheusText } from 'frame-deadline/prometheus';
import { csvOfFrames, htmlReport } from 'frame-deadline/report';
import { chromeTrace } from 'frame-deadline/trace';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

const [mode, secondsText, seedText, ...rest] = process.argv.slice(2);
const only = rest[0];
const endMs = performance.now() + Number(secondsText) * 1000;
const generator = xoroshiro128plus(Number(seedText));
const below = (bound) => (generator.next() >>> 0) % bound;

const VALUES = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 0x7fff_0000, 0x0101_0101];
const tasks = new URL('../tasks/memory.tasks.js', import.meta.url);
const DEADLINE_MS = mode === 'inline' ? 0.5 : 20;

function create() {
  return createScheduler({
    mode: mode === 'inline' ? 'inline' : 'threads',
    lanes: {
      work: { tasks, load: () => import(tasks.href), capacitySlots: 8 },
      tick: { tasks, load: () => import(tasks.href), capacitySlots: 4, periodic: { task: 'tick', everyMs: 4 } },
    },
    ...(mode === 'inline' ? {} : { workers: [{ lanes: ['work', 'tick'] }, { lanes: ['work'] }], hangMs: 200 }),
    trace: { jobsPerThread: 16 },
  });
}

/** All words, by region. The telemetry is large: its rings and rows are drawn more often than its histograms. */
function regionsOf({ core }) {
  const { memory } = core;
  const regions = { control: memory.control, telemetry: memory.telemetry, errors: memory.errors };
  memory.rings.forEach((ring, index) => {
    regions[`ring${index}`] = ring.i32;
  });
  return regions;
}

/** Words that somebody reads, by region; the rest is padding or one of many alike. */
function placesOf({ core }) {
  const { memory } = core;
  const { layout, telemetryLayout } = memory;
  const range = (from, count) => Array.from({ length: count }, (_, i) => from + i);
  const traces = range(0, telemetryLayout.rowCount).flatMap((row) => range(telemetryLayout.jobTrace(row), 48));
  const misses = range(0, telemetryLayout.rowCount).flatMap((row) => range(telemetryLayout.missRing(row), 48));
  return {
    control: [
      ...range(0, 64),
      ...range(layout.worker(0), 192),
      ...range(layout.lane(0), 32),
      ...range(layout.frame(0), layout.frame(1) - layout.frame(0)),
    ],
    telemetry: [
      ...range(telemetryLayout.counters(0, 0), 200),
      ...range(telemetryLayout.frameRing, 64),
      ...range(telemetryLayout.loopRow(0), 64),
      ...traces,
      ...misses,
    ],
    errors: range(0, telemetryLayout.rowCount).flatMap((row) => range(memory.errorBase(row), 160)),
    ...Object.fromEntries(memory.rings.map((ring, index) => [`ring${index}`, range(0, ring.i32.length)])),
  };
}

const failures = [];
let cases = 0;
let slowest = { ms: 0, what: '' };
const seen = new Set();
let current = '';

/** A thing that a host does: it may refuse or tell nonsense, but ends, with an error that has a code. */
function attempt(what, act) {
  try {
    return act();
  } catch (error) {
    note(what, error);
    return undefined;
  }
}
async function attemptAsync(what, act) {
  try {
    return await act();
  } catch (error) {
    note(what, error);
    return undefined;
  }
}
function note(what, error) {
  if (error instanceof FrameDeadlineError) return;
  const text = String(error?.stack ?? error);
  // one of each
  const where = text.split('\n').slice(0, 3).join();
  if (seen.has(where)) return;
  seen.add(where);
  failures.push(`${current}: ${what}: ${text}`);
}
process.on('uncaughtException', (error) => note('uncaught', error));

const payload = { a: 1, b: 2, text: new Uint8Array([1, 2, 3]) };

function lookAt(job) {
  attempt('job.outcome', () => job.outcome);
  attempt('job.output', () => `${job.output.sum} ${job.output.text?.copy().length}`);
  attempt('job.error', () => job.error?.message);
  attempt('job.figures', () => job.queueingUs + job.executionUs + job.latenessUs);
}

async function useAll(scheduler, frame, jobs, single) {
  const { add, fail } = scheduler.lanes.work;
  const more = attempt('submit', () => scheduler.submit(add, payload));
  attempt('frame.submit', () => jobs.push(frame.submit(add, payload)));
  attempt('poll', () => frame.poll());
  attempt('joinSync', () => frame.joinSync({ until: 'deadline' }));
  await attemptAsync('join', () => frame.join({ until: 'deadline' }));
  for (const job of [...jobs, single, more]) if (job !== undefined) lookAt(job);
  attempt('cancel', () => frame.cancel());
  attempt('job.cancel', () => single.cancel());
  attempt('release', () => single.release());
  attempt('release', () => more?.release());
  for (let i = 0; i < 3; i++) {
    const next = attempt('beginFrame', () => scheduler.beginFrame({ deadlineMs: DEADLINE_MS }));
    if (next === undefined) continue;
    attempt('frame.submit', () => next.submit(fail, { a: i }));
    attempt('barrier', () => next.barrier());
    attempt('frame.submit', () => next.submit(add, payload));
    await attemptAsync('join', () => next.join({ until: 'deadline' }));
  }
  for (let i = 0; i < 10; i++) attempt('submit', () => scheduler.submit(add, payload));
  const telemetry = attempt('telemetry', () => scheduler.telemetry());
  const trace = attempt('jobTrace', () => scheduler.jobTrace());
  attempt('snapshot', () => JSON.stringify(scheduler.snapshot()));
  attempt('recentMisses', () => scheduler.recentMisses());
  attempt('window', () => scheduler.telemetryWindow().read());
  attempt('describe', () => String(scheduler.describe()));
  await attemptAsync('histogram', () => scheduler.histogram('work', 'executionUs'));
  // slow ones, now and then
  if (cases % 8 === 0 && telemetry !== undefined) {
    attempt('prometheus', () => prometheusText(telemetry));
    attempt('htmlReport', () => htmlReport(telemetry));
    attempt('csvOfFrames', () => csvOfFrames(telemetry));
  }
  if (trace !== undefined) attempt('chromeTrace', () => chromeTrace(trace));
}

async function oneCase(makeDamage) {
  const scheduler = await create();
  const { add, fail } = scheduler.lanes.work;
  scheduler.onMiss(() => {});
  const before = scheduler.beginFrame({ deadlineMs: DEADLINE_MS });
  before.submit(add, payload);
  before.submit(fail, { a: 1 });
  before.barrier();
  before.submit(add, payload);
  before.joinSync();
  const single = scheduler.submit(add, payload);
  const frame = scheduler.beginFrame({ deadlineMs: DEADLINE_MS });
  const jobs = [frame.submit(add, payload), frame.submit(fail, { a: 2 })];
  frame.barrier();
  jobs.push(frame.submit(add, payload));
  void single.done;
  current = makeDamage(scheduler);
  writeSync(1, `${current}\n`);
  const startMs = performance.now();
  await useAll(scheduler, frame, jobs, single);
  await attemptAsync('close', () => scheduler.close({ drainMs: 20 }));
  attempt('telemetry after close', () => scheduler.telemetry());
  attempt('submit after close', () => scheduler.submit(add, payload));
  const ms = performance.now() - startMs;
  if (ms > slowest.ms) slowest = { ms, what: current };
}

function randomValue(old) {
  const kind = below(10);
  if (kind < VALUES.length) return VALUES[kind];
  if (kind === 7) return generator.next() | 0;
  if (kind === 8) return old ^ (1 << below(32));
  return (old + below(9) - 4) | 0;
}

function damageOf(name, at, value) {
  return (scheduler) => {
    const words = regionsOf(scheduler)[name];
    words[at] = value;
    return `${name}[${at}]=${value}`;
  };
}

function randomDamage(scheduler) {
  const regions = regionsOf(scheduler);
  const places = placesOf(scheduler);
  const names = Object.keys(regions);
  const count = below(3) === 0 ? 1 + below(16) : 1;
  const done = [];
  for (let i = 0; i < count; i++) {
    const name = names[below(names.length)];
    const words = regions[name];
    const at = below(8) === 0 ? below(words.length) : places[name][below(places[name].length)];
    const value = randomValue(words[at]);
    words[at] = value;
    done.push(`${name}[${at}]=${value}`);
  }
  return done.join(' ');
}

if (only === 'every') {
  const scheduler = await create();
  const places = placesOf(scheduler);
  await scheduler.close();
  for (const [name, words] of Object.entries(places)) {
    for (const at of words) {
      for (const value of VALUES) {
        await oneCase(damageOf(name, at, value));
        cases++;
      }
    }
  }
} else if (only !== undefined) {
  // a case as it was printed
  await oneCase((scheduler) => {
    for (const part of rest) {
      const [, name, at, value] = /^(\w+)\[(\d+)\]=(-?\d+)$/.exec(part);
      regionsOf(scheduler)[name][Number(at)] = Number(value);
    }
    return rest.join(' ');
  });
} else {
  while (performance.now() < endMs && failures.length < 20) {
    await oneCase(randomDamage);
    cases++;
  }
}
writeSync(1, `cases ${cases}, slowest ${slowest.ms.toFixed(0)} ms: ${slowest.what}\n`);
if (failures.length > 0) {
  writeSync(2, `${failures.slice(0, 20).join('\n\n')}\n`);
  process.exitCode = 1;
}
