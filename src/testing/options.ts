import { describeValue, FrameDeadlineError } from '../base/errors.js';
import type { ReadonlyView } from '../memory/fields.js';
import { type NormalOptions, normalizeOptions, type SchedulerOptions, type TaskNames } from '../scheduler/options.js';
import type { Task } from '../worker/task.js';
import { checkUs, type ExecutionUs } from './execution-times.js';

type InputOf<T> = T extends Task<infer I, infer _O> ? ReadonlyView<I> : never;
type LaneNames<Lanes> = keyof Lanes & string;
type FullNames<Lanes> = { [L in LaneNames<Lanes>]: `${L}.${TaskNames<Lanes[L]>}` }[LaneNames<Lanes>];
type ShortNames<Lanes> = { [L in LaneNames<Lanes>]: TaskNames<Lanes[L]> }[LaneNames<Lanes>];
type FullInput<Lanes, Name> = Name extends `${infer L}.${infer T}`
  ? L extends keyof Lanes
    ? T extends keyof Lanes[L]
      ? InputOf<Lanes[L][T]>
      : never
    : never
  : never;
type ShortInput<Lanes, Name> = {
  [L in LaneNames<Lanes>]: Name extends keyof Lanes[L] ? InputOf<Lanes[L][Name]> : never;
}[LaneNames<Lanes>];

/** A number of microseconds, or a function of the job's input and of how many jobs of the task started before it. */
export type ExecutionTime<Input> = number | ((input: Input, jobNumber: number) => number);

/** By task, as `task` or `lane.task` (which goes before). */
export type ExecutionTimeOptions<Lanes> = {
  [Name in FullNames<Lanes>]?: ExecutionTime<FullInput<Lanes, Name>>;
} & {
  [Name in ShortNames<Lanes>]?: ExecutionTime<ShortInput<Lanes, Name>>;
};

/**
 * Options of `createScheduler`, of which lanes need `load` and not `tasks`, and those of the virtual machine. `mode: 'inline'`,
 * `hangMs`, `spares`, `profile` and `lockMemory` are refused: it does nothing of the kind.
 */
export interface TestSchedulerOptions<Lanes extends { [K in keyof Lanes]: unknown }> extends SchedulerOptions<Lanes> {
  /** CPUs of the virtual machine, numbered from 0: workers are derived from it where `workers` is not given. Default 2. */
  usableCpus?: number;
  /** How long jobs take, in microseconds of virtual time, 0 or more, rounded to whole ones. Default 0. */
  executionUs?: ExecutionTimeOptions<NoInfer<Lanes>>;
  /**
   * From a ring, or the end of a timed park, until the worker looks for jobs, in microseconds; a function is asked for each
   * wake-up. Default 0.
   */
  wakeupUs?: number | (() => number);
  /** What the clock reads at the start, in microseconds: values shortly before 2 ** 31 or 2 ** 32 let stamps wrap. Default 0. */
  startUs?: number;
  /** From a worker's death until its successor serves, in microseconds. Default 50 000. */
  restartUs?: number;
}

export interface NormalTestOptions {
  readonly scheduler: NormalOptions;
  readonly usableCpus: number;
  readonly executionUs: Readonly<Record<string, ExecutionUs>>;
  readonly wakeupUs: () => number;
  readonly startUs: number;
  readonly restartUs: number;
}

/** Checks the options and fills in defaults. Throws as `createScheduler` does. */
export function normalizeTestOptions(given: TestSchedulerOptions<Record<string, unknown>>): NormalTestOptions {
  if (typeof given !== 'object' || given === null) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `the argument of createTestScheduler is ${describeValue(given)}, expected an object`,
    );
  }
  refuseUntested(given);
  const { usableCpus = 2, executionUs = {}, wakeupUs = 0, startUs = 0, restartUs = 50_000, ...rest } = given;
  if (!(Number.isInteger(usableCpus) && usableCpus >= 1 && usableCpus <= 1024)) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `usableCpus is ${describeValue(usableCpus)}, expected a whole number from 1 to 1024`,
    );
  }
  const cpus = Array.from({ length: usableCpus }, (_, cpu) => cpu);
  const whole = (us: number, what: string): number => Math.round(checkUs(us, what));
  return {
    // handlers come through `load`, as they do inline; the rest is as with threads
    scheduler: { ...normalizeOptions({ ...rest, mode: 'inline' }, cpus, 'createTestScheduler'), mode: 'threads' },
    usableCpus,
    executionUs: executionUs as Readonly<Record<string, ExecutionUs>>,
    wakeupUs: eachWakeup(wakeupUs, whole),
    startUs: whole(startUs, 'startUs'),
    restartUs: whole(restartUs, 'restartUs'),
  };
}

/** What the virtual machine does not do: accepted in silence it would be a test of nothing. */
function refuseUntested(given: TestSchedulerOptions<Record<string, unknown>>): void {
  const refuse = (name: string, value: unknown, why: string): never => {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `${name} is ${describeValue(value)}; createTestScheduler ${why}: leave it out`,
    );
  };
  const { mode, hangMs, spares, profile, lockMemory } = given;
  if (mode !== undefined && mode !== 'threads') refuse('mode', mode, 'has virtual workers, no other mode');
  if (hangMs !== undefined && hangMs !== Number.POSITIVE_INFINITY) {
    refuse('hangMs', hangMs, 'ends no hung job; inject.killWorker ends a worker');
  }
  if (spares !== undefined && spares !== 0)
    refuse('spares', spares, 'has no spares; restartUs says when a worker is back');
  if (profile !== undefined && profile !== false) refuse('profile', profile, 'writes no profiles');
  if (lockMemory !== undefined && lockMemory !== false) refuse('lockMemory', lockMemory, 'locks no memory');
}

function eachWakeup(wakeupUs: number | (() => number), whole: (us: number, what: string) => number): () => number {
  if (typeof wakeupUs === 'function') return () => whole(wakeupUs(), 'what wakeupUs returned');
  const us = whole(wakeupUs, 'wakeupUs');
  return () => us;
}
