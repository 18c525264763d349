import { describeValue, FrameDeadlineError } from '../base/errors.js';
import type { JobContext } from '../worker/task.js';

/**
 * How long a job's execution takes on the virtual clock, in microseconds: a number, or a function of the job's input
 * and of how many jobs of the task were started before it. At least 0, rounded to whole microseconds.
 */
export type ExecutionUs = number | ((input: never, jobNumber: number) => number);

/** A job that was made to miss ends this long after its deadline. */
const INJECTED_TARDINESS_US = 1000;
const ANY_TASK = '';

/** Says how long each job takes: from the option `executionUs`, and from injected misses. */
export class ExecutionTimes {
  private readonly given: Readonly<Record<string, ExecutionUs>>;
  private readonly started: Map<string, number>;
  private readonly misses: Map<string, number>;

  /** `known`: full names (`lane.task`) of all tasks. */
  constructor(given: Readonly<Record<string, ExecutionUs>>, known: readonly string[]) {
    this.given = given;
    this.started = new Map();
    this.misses = new Map();
    for (const [name, value] of Object.entries(given)) {
      requireKnown(name, known, 'executionUs');
      if (typeof value !== 'function') checkUs(value, `executionUs of ${name}`);
    }
  }

  /** Makes the next `count` jobs of a task (`lane.task` or `task`; undefined: of any task) miss. */
  injectMiss(name: string | undefined, count: number, known: readonly string[]): void {
    if (name !== undefined) requireKnown(name, known, 'inject.miss');
    const key = name ?? ANY_TASK;
    this.misses.set(key, (this.misses.get(key) ?? 0) + count);
  }

  /** Microseconds that the job that starts now takes. Called once per job. */
  of(lane: string, task: string, input: unknown, context: JobContext): number {
    const full = `${lane}.${task}`;
    const number = this.started.get(full) ?? 0;
    this.started.set(full, number + 1);
    const given = this.given[full] ?? this.given[task] ?? 0;
    const us = typeof given === 'function' ? given(input as never, number) : given;
    if (typeof given === 'function') checkUs(us, `what executionUs of ${full} returned for job ${number}`);
    const natural = Math.round(us);
    if (!this.takeMiss(full) && !this.takeMiss(task) && !this.takeMiss(ANY_TASK)) return natural;
    return Math.max(natural, context.timeToDeadlineUs() + INJECTED_TARDINESS_US);
  }

  private takeMiss(key: string): boolean {
    const left = this.misses.get(key) ?? 0;
    if (left > 0) this.misses.set(key, left - 1);
    return left > 0;
  }
}

function requireKnown(name: string, known: readonly string[], what: string): void {
  if (known.some((full) => full === name || full.endsWith(`.${name}`))) return;
  throw new FrameDeadlineError(
    'TASK_UNKNOWN',
    `${what} names the task ${describeValue(name)}, expected one of ${known.join(', ')}`,
  );
}

/** @throws FrameDeadlineError OPTION_INVALID unless it is a finite number of microseconds, at least 0 */
export function checkUs(us: number, what: string): number {
  if (typeof us === 'number' && us >= 0 && Number.isFinite(us)) return us;
  throw new FrameDeadlineError('OPTION_INVALID', `${what} is ${describeValue(us)}, expected microseconds, 0 or more`);
}

/** The microseconds of them. @throws FrameDeadlineError OPTION_INVALID unless it is a finite number of milliseconds, at least 0 */
export function checkMs(ms: number, what: string): number {
  if (typeof ms === 'number' && ms >= 0 && Number.isFinite(ms)) return ms * 1000;
  throw new FrameDeadlineError('OPTION_INVALID', `${what} is ${describeValue(ms)}, expected milliseconds, 0 or more`);
}
