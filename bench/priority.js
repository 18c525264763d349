import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createScheduler } from 'frame-deadline';
import { startHogs } from './harness/hogs.js';
import { setHostPolicy } from './harness/host-priority.js';
import { quantile } from './harness/stats.js';
import { FINISHES, FROM, LAST, MAX_FRAMES, NEVER_RAN, PERIOD_MS, TO, WORK_MS } from './tasks/cpu-work.js';

export const describe = `${WORK_MS} ms of CPU work in every ${PERIOD_MS} ms beside CPU hogs, for each priority`;

const LEVELS = ['normal', 'high', 'realtime'];
const DEADLINE_US = Math.round(PERIOD_MS * 1000);
const tasks = new URL('./tasks/cpu-work.tasks.js', import.meta.url);
/** Periods between asking for a round and its first frame. */
const LEAD_PERIODS = 4;

/** A scheduler with a worker and a lane for each level. Only the one that is measured has work. */
async function startLevels(periodic) {
  const memory = LEVELS.map(() => new SharedArrayBuffer((FINISHES + MAX_FRAMES) * 4));
  const lane = (level) => ({
    tasks,
    deadlineMs: PERIOD_MS,
    shared: { words: memory[level] },
    ...(periodic ? { periodic: { task: 'frame', everyMs: PERIOD_MS } } : { load: () => import(tasks) }),
  });
  const scheduler = await createScheduler({
    lanes: Object.fromEntries(LEVELS.map((level, i) => [level, lane(i)])),
    workers: LEVELS.map((priority) => ({ lanes: [priority], priority })),
  });
  return { scheduler, words: memory.map((buffer) => new Int32Array(buffer)) };
}

function window(words, from, frames) {
  words.fill(NEVER_RAN, FINISHES);
  Atomics.store(words, TO, 0);
  Atomics.store(words, FROM, from);
  Atomics.store(words, TO, from + frames);
}

const finishesOf = (words, frames) => [...words.subarray(FINISHES, FINISHES + frames)].filter((us) => us !== NEVER_RAN);

/** The worker releases the frames itself: the host's main thread takes no part. */
async function periodicRound({ scheduler, words }, level, frames) {
  const from = Atomics.load(words[level], LAST) + LEAD_PERIODS;
  const before = scheduler.snapshot().lanes[LEVELS[level]].missCauses;
  window(words[level], from, frames);
  const to = from + frames;
  do await sleep(Math.max(1, (to - Atomics.load(words[level], LAST)) * PERIOD_MS));
  while (Atomics.load(words[level], LAST) < to);
  const after = scheduler.snapshot().lanes[LEVELS[level]].missCauses;
  const causes = Object.keys(after).map((cause) => [cause, after[cause] - before[cause]]);
  return { due: frames, finishes: finishesOf(words[level], frames), causes: Object.fromEntries(causes) };
}

/** The host's loop submits one job to each frame and joins it. */
async function loopRound({ scheduler, words }, level, frames) {
  const task = scheduler.lanes[LEVELS[level]].frame;
  window(words[level], 0, MAX_FRAMES);
  const signal = AbortSignal.timeout(Math.round(frames * PERIOD_MS));
  await scheduler.loop({ hz: 1000 / PERIOD_MS, deadlineMs: PERIOD_MS, signal }, async (frame) => {
    frame.submit(task);
    await frame.join();
  });
  const { intendedTicks: due } = scheduler.snapshot().loops.at(-1);
  return { due, finishes: finishesOf(words[level], MAX_FRAMES), causes: {} };
}

/** Rounds of all granted levels in turn. */
async function measure(set, roundOf, { levels, rounds, frames }) {
  const found = LEVELS.map(() => []);
  for (const level of levels) await roundOf(set, level, Math.min(frames, 30));
  for (let round = 0; round < rounds; round++) {
    for (const level of levels) found[level].push(await roundOf(set, level, frames));
  }
  return found;
}

/** All rounds pooled, with the lowest and the highest round. */
function pooled(what, unit, rounds, of, note = '') {
  const each = rounds.map((round) => of([round])).sort((a, b) => a - b);
  return { what, unit, median: of(rounds), min: each[0], max: each.at(-1), rounds: rounds.length, note };
}

const sum = (rounds, of) => rounds.reduce((total, round) => total + of(round), 0);
const missesOf = (rounds) =>
  sum(rounds, ({ due, finishes }) => due - finishes.filter((us) => us <= DEADLINE_US).length);
const dueOf = (rounds) => sum(rounds, ({ due }) => due);
const finishMs = (q) => (rounds) => {
  const sorted = Float64Array.from(rounds.flatMap(({ finishes }) => finishes)).sort();
  return quantile(sorted, q) / 1000;
};

function rowsOf(what, rounds) {
  const ran = sum(rounds, ({ finishes }) => finishes.length);
  const due = dueOf(rounds);
  const never = due - ran === 0 ? '' : `, ${due - ran} of them never begun`;
  return [
    pooled(
      `${what}: missed`,
      '%',
      rounds,
      (of) => (100 * missesOf(of)) / dueOf(of),
      `${missesOf(rounds)} of ${due}${never}`,
    ),
    pooled(`  finish, p50`, 'ms', rounds, finishMs(0.5)),
    pooled(`  finish, p99`, 'ms', rounds, finishMs(0.99)),
  ];
}

/** What is in force, in words. */
function granted(priority, { policy, niceness, cpus }) {
  const how = priority.mechanism === null ? 'as the process began' : `by ${priority.mechanism}`;
  const inForce = [
    policy,
    niceness === null ? null : `nice ${niceness}`,
    `CPUs ${cpus.effective?.join(',') ?? 'unknown'}`,
  ];
  return `${how} (${inForce.filter((part) => part !== null).join(', ')})`;
}

function causesOf(level, rounds) {
  const causes = Object.keys(rounds[0].causes).map((cause) => [cause, sum(rounds, (round) => round.causes[cause])]);
  const told = causes.filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
  return told.length === 0
    ? []
    : [`  ${level}: causes told by the scheduler: ${told.map((of) => of.join(' ')).join(', ')}`];
}

/** Whether the kernel shares out CPUs by session first (sched(7), "The autogroup feature"). */
const isAutogrouped = () => read('/proc/sys/kernel/sched_autogroup_enabled') === '1';

function read(path) {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return null;
  }
}

const SECTIONS = [
  { what: 'periodic lane', periodic: true, ownSessions: false, host: 0, frames: 600 },
  { what: 'frame loop', periodic: false, ownSessions: false, host: 0, frames: 120 },
  { what: 'frame loop, host high', periodic: false, ownSessions: false, host: -11, frames: 120 },
  { what: 'periodic lane, hogs of other sessions', periodic: true, ownSessions: true, host: 0, frames: 120 },
];

async function runSection({ what, periodic, ownSessions, host, frames }, rounds) {
  if (ownSessions && !isAutogrouped()) {
    return { rows: [], notes: [`SKIPPED: ${what}: autogroup is off, so these are no others`], cpuMs: 0 };
  }
  const set = await startLevels(periodic);
  const threads = set.scheduler.describe().workers.map((worker) => worker.thread);
  const levels = LEVELS.map((_, i) => i).filter((i) => threads[i].priority.effective === LEVELS[i]);
  const hogs = await startHogs({ ownSessions });
  const isRaised = host === 0 || setHostPolicy('nice', host);
  const found = isRaised ? await measure(set, periodic ? periodicRound : loopRound, { levels, rounds, frames }) : null;
  if (host !== 0) setHostPolicy('nice', 0);
  const cpuMs = await hogs.end();
  await set.scheduler.close();
  if (found === null) {
    return { rows: [], notes: [`SKIPPED: ${what}: the main thread may not be given nice ${host}`], cpuMs };
  }
  const rows = levels.flatMap((level) => rowsOf(`${what}, ${LEVELS[level]}`, found[level]));
  const notes = [`${what}: ${rounds} rounds of ${frames} frames beside ${hogs.count} hogs`];
  for (const level of levels) notes.push(...causesOf(LEVELS[level], found[level]));
  return { rows, notes, cpuMs, threads };
}

export async function run({ quick }) {
  if (!existsSync('/proc/thread-self/schedstat')) {
    return { rows: [], notes: ['SKIPPED: /proc/thread-self/schedstat is missing: it tells how long a thread waited'] };
  }
  const rounds = quick ? 1 : 5;
  const sections = [];
  for (const section of SECTIONS) {
    sections.push(await runSection({ ...section, frames: quick ? 12 : section.frames }, rounds));
  }
  const notes = sections[0].threads.map(({ priority, ...thread }, level) =>
    priority.effective === LEVELS[level]
      ? `${LEVELS[level]}: granted, ${granted(priority, thread)}`
      : `SKIPPED: ${LEVELS[level]} was not granted (${priority.effective} in force): ${priority.reason}`,
  );
  if (isAutogrouped()) notes.push(`autogroup is on; of this session: ${read('/proc/self/autogroup')}`);
  notes.push('first column: all rounds pooled; levels in turn, round by round; hogs at default priority');
  notes.push('periodic lane: the worker releases the frames; frame loop: the host submits and joins them');
  notes.push(...sections.flatMap((section) => section.notes));
  return {
    rows: sections.flatMap((section) => section.rows),
    notes,
    helpersCpuMs: sections.reduce((total, { cpuMs }) => total + cpuMs, 0),
  };
}
