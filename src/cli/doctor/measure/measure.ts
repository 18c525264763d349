import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ThreadReport } from '../../../host/thread-control.js';
import { createScheduler, type Scheduler } from '../../../index.js';
import { Hogs } from '../../demo/load/hogs.js';
import type { PhaseResult } from './phase.js';
import { summarizePhase } from './phase.js';
import { PERIOD_MS, WORK_MS } from './probe.tasks.js';
import { LEVELS, ProbeMemory } from './probe-memory.js';

/** Each level is measured in turns, so that a slow moment of the machine does not fall on one of them alone. */
const ROUNDS = 3;
const MIN_FRAMES_PER_TURN = 6;
/** Periods between setting a turn and its first, and what a turn costs beside its frames. */
const LEAD_PERIODS = 3;
const CALIBRATION_MS = 500;
const HOG_START_MS = 300;
const END_MS = 300;
/** What a hog takes, with room to spare. */
const HOG_BYTES = 100 * 2 ** 20;
const MAX_HOGS = 32;
const READY_TIMEOUT_MS = 8000;

/** One priority: what was granted, and what it was worth. */
export interface LevelMeasurement {
  /** What the operating system made of it; null if its worker did not come up. */
  readonly thread: ThreadReport | null;
  /** Null where there was nothing to measure: it was refused, or the run was ended. */
  readonly withoutLoad: PhaseResult | null;
  readonly withLoad: PhaseResult | null;
}

export interface Measurement {
  /** In the order of LEVELS. */
  readonly levels: readonly LevelMeasurement[];
  readonly hogs: number;
  /** Share of CPU time that others used while nothing of ours did anything: 0 to 100. */
  readonly busyBeforePercent: number | null;
  /** Why nothing could be measured, or null. */
  readonly failure: string | null;
}

/**
 * Runs 8 ms of work in every 16.7 ms at each level that is granted, alone and beside CPU hogs. Takes until `endMs` (of
 * `performance.now()`) or a little longer on a slow machine. Leaves no thread and no process. Never rejects.
 */
export async function measure(usableCpus: number, endMs: number, signal: AbortSignal): Promise<Measurement> {
  const busyBeforePercent = await busyShare(signal);
  const memory = new ProbeMemory();
  let scheduler: Scheduler;
  try {
    scheduler = await startProbes(memory);
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { levels: LEVELS.map(() => unmeasured(null)), hogs: 0, busyBeforePercent, failure };
  }
  try {
    return { ...(await measureLevels(scheduler, memory, usableCpus, endMs, signal)), busyBeforePercent, failure: null };
  } finally {
    await scheduler.close({ drainMs: 100 });
  }
}

/** One worker for each level, each with a periodic lane of its own: no host thread takes part in a frame. */
function startProbes(memory: ProbeMemory): Promise<Scheduler> {
  const lane = (level: number) => ({
    tasks: new URL('./probe.tasks.js', import.meta.url),
    load: () => import('./probe.tasks.js'),
    periodic: { task: 'frame' as const, everyMs: PERIOD_MS },
    shared: { level, probe: memory.buffer },
  });
  return createScheduler({
    lanes: { normal: lane(0), high: lane(1), realtime: lane(2) },
    workers: (['normal', 'high', 'realtime'] as const).map((priority) => ({ lanes: [priority], priority })),
    readyTimeoutMs: READY_TIMEOUT_MS,
  }) as unknown as Promise<Scheduler>;
}

async function measureLevels(
  scheduler: Scheduler,
  memory: ProbeMemory,
  usableCpus: number,
  endMs: number,
  signal: AbortSignal,
): Promise<Pick<Measurement, 'levels' | 'hogs'>> {
  const threads = scheduler.describe().workers.map((worker) => worker.thread);
  const granted = LEVELS.map((_, level) => level).filter((level) => isGranted(threads[level] ?? null));
  /** Frames that each level was given, by phase; null until the phase is through. */
  const frames: [number | null, number | null] = [null, null];
  await calibrate(memory, signal);
  const turns = async (phase: number, untilMs: number): Promise<void> => {
    const framesPerTurn = framesPerTurnOf(untilMs - performance.now(), granted.length);
    for (let turn = 0; turn < granted.length * ROUNDS && !signal.aborted; turn++) {
      const level = granted[turn % granted.length]!;
      const from = memory.lastPeriod() + LEAD_PERIODS;
      memory.setWindow(level, phase, from, from + framesPerTurn);
      await pause((framesPerTurn + LEAD_PERIODS + 1) * PERIOD_MS, signal);
    }
    if (!signal.aborted) frames[phase] = framesPerTurn * ROUNDS;
  };
  await turns(0, performance.now() + (endMs - END_MS - HOG_START_MS - performance.now()) / 2);
  let hogs: Hogs | null = null;
  let running = 0;
  if (!signal.aborted) {
    hogs = new Hogs(hogCount(usableCpus, process.availableMemory()));
    try {
      await pause(HOG_START_MS, signal);
      await turns(1, endMs - END_MS);
      running = hogs.running().length;
    } finally {
      await hogs.end();
    }
  }
  const levels = LEVELS.map((_, level): LevelMeasurement => {
    const thread = threads[level] ?? null;
    if (!granted.includes(level)) return unmeasured(thread);
    const result = (phase: number): PhaseResult | null => {
      const due = frames[phase] ?? null;
      return due === null ? null : summarizePhase(due, memory.samples(level, phase), PERIOD_MS * 1000);
    };
    return { thread, withoutLoad: result(0), withLoad: result(1) };
  });
  return { levels, hogs: running };
}

/** @param leftMs for all turns of one phase */
export function framesPerTurnOf(leftMs: number, levels: number): number {
  const turnMs = leftMs / Math.max(1, levels * ROUNDS);
  return Math.max(MIN_FRAMES_PER_TURN, Math.floor(turnMs / PERIOD_MS) - LEAD_PERIODS - 1);
}

/** Lets the workers find out how much work fills 8 ms where nothing is in its way. */
async function calibrate(memory: ProbeMemory, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + 4 * CALIBRATION_MS;
  do await pause(CALIBRATION_MS, signal);
  while (!signal.aborted && !Number.isFinite(memory.loopPicoseconds()) && performance.now() < deadlineMs);
  const picoseconds = memory.loopPicoseconds();
  memory.setLoopsPerFrame(Number.isFinite(picoseconds) ? Math.round((WORK_MS * 1e9) / picoseconds) : 1_000_000);
}

/** Whether the level is in force that was asked for, or a better one that the process began with. */
export function isGranted(thread: ThreadReport | null): boolean {
  if (thread === null) return false;
  const { requested, effective } = thread.priority;
  return LEVELS.indexOf(effective) >= LEVELS.indexOf(requested);
}

/** One for each CPU, as far as memory goes. */
export function hogCount(usableCpus: number, freeBytes: number): number {
  return Math.max(1, Math.min(usableCpus, MAX_HOGS, Math.floor(freeBytes / HOG_BYTES)));
}

function unmeasured(thread: ThreadReport | null): LevelMeasurement {
  return { thread, withoutLoad: null, withLoad: null };
}

async function busyShare(signal: AbortSignal): Promise<number | null> {
  const totals = (): { idleMs: number; allMs: number } => {
    let idleMs = 0;
    let allMs = 0;
    for (const { times } of cpus()) {
      idleMs += times.idle;
      allMs += times.idle + times.user + times.sys + times.nice + times.irq;
    }
    return { idleMs, allMs };
  };
  const before = totals();
  await pause(CALIBRATION_MS, signal);
  const after = totals();
  const allMs = after.allMs - before.allMs;
  return allMs <= 0 ? null : Math.round(100 * (1 - (after.idleMs - before.idleMs) / allMs));
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(Math.max(0, ms), undefined, { signal });
  } catch {
    // the caller looks at the signal
  }
}
