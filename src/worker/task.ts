import { checkKeys } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { MAX_DEADLINE_MS } from '../base/time.js';
import type { ReadonlyView, Schema, View } from '../memory/fields.js';
import { layoutSchema } from '../memory/schema-layout.js';

/** What a handler is told about its job, and may ask. One object per thread, reused: do not keep it. */
export interface JobContext {
  /** Microseconds until the job's deadline; negative once it is missed. Reads the clock (about 50 ns). */
  timeToDeadlineUs(): number;
  /**
   * Whether the job was cancelled since it started. A long handler looks now and then and returns early. Once it was told,
   * the job ends `cancelled`, whatever it returns.
   */
  cancelled(): boolean;
  /** Whether it is time to return: cancelled, past the deadline, or a periodic release of this worker is due. */
  shouldYield(): boolean;
  /** Index of the worker in `scheduler.describe().workers`, or -1 where the host itself runs the job. */
  readonly workerIndex: number;
  readonly laneName: string;
  /** Number of the frame, or -1 for a single or periodic job. */
  readonly frameNumber: number;
  /** Number of the period of a periodic job, counted from the lane's start; -1 otherwise. */
  readonly period: number;
  /** What the lane's option `shared` holds: shared buffers and whatever else was cloned to the worker at its start. */
  readonly shared: Readonly<Record<string, unknown>>;
}

/** What a task module's `initialize` is told. */
export interface InitializeContext {
  /** Index of the worker in `scheduler.describe().workers`, or -1 in a host that helps. */
  readonly workerIndex: number;
  readonly laneName: string;
  /** As handlers get it: what `shared` holds and what `transfer` moved. */
  readonly shared: Readonly<Record<string, unknown>>;
}

/**
 * A task module may export such a function by the name `initialize`. Each thread that runs the lane's tasks calls it once,
 * before the first job, and waits for it, at most `readyTimeoutMs`. What it throws is an error of `createScheduler`
 * (TASK_MODULE_FAILED); in a worker that takes a dead one's place it counts as a death.
 */
export type Initialize = (context: InitializeContext) => void | Promise<void>;

export interface TaskDefinition<I extends Schema, O extends Schema> {
  /** Fields of the input. May be empty: `{}`. */
  input: I;
  /** Fields of the output, written in place by `run`. Default: none. */
  output?: O;
  /** Relative deadline in milliseconds of jobs submitted outside frames: above 0, at most 600 000. Default: the lane's. */
  deadlineMs?: number;
  /** Execution time in microseconds beyond which the task itself is to blame for a miss. Default: the relative deadline. */
  budgetUs?: number;
  /** Whether a job may be started again, once, after its worker died while it ran. Default false: it ends `lost`. */
  idempotent?: boolean;
  /**
   * Runs the job to completion, synchronously. `input` and `output` are windows on the job's slot, valid until it
   * returns; the output's old contents are undefined. What it returns is ignored: results go into `output`. What it throws
   * ends the job as `failed`.
   */
  run(input: ReadonlyView<I>, output: View<O>, context: JobContext): void;
}

const TASK = Symbol.for('frame-deadline.task');

/** A declared task: export it from a task module. */
export interface Task<I extends Schema = Schema, O extends Schema = Schema> {
  readonly input: I;
  readonly output: O;
  readonly deadlineMs: number | null;
  readonly budgetUs: number | null;
  readonly idempotent: boolean;
  readonly run: (input: ReadonlyView<I>, output: View<O>, context: JobContext) => void;
}

/**
 * Declares a task. Call it at the top of a task module and export the result: workers import the module, the name of
 * the export is the name of the task, the module's own variables are worker-local state, and top-level await may
 * initialise them.
 * @throws FrameDeadlineError SCHEMA_INVALID, DEADLINE_INVALID, OPTION_INVALID
 */
export function task<const I extends Schema, const O extends Schema = Record<never, never>>(
  definition: TaskDefinition<I, O>,
): Task<I, O> {
  checkKeys('the argument of task()', definition, ['input', 'output', 'deadlineMs', 'budgetUs', 'idempotent', 'run']);
  const output = (definition.output ?? {}) as O;
  layoutSchema(definition.input, 'task input');
  layoutSchema(output, 'task output');
  if (definition.deadlineMs !== undefined) checkDeadlineMs(definition.deadlineMs, 'deadlineMs of a task');
  const { budgetUs } = definition;
  if (budgetUs !== undefined && !(Number.isFinite(budgetUs) && budgetUs > 0)) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `budgetUs is ${describeValue(budgetUs)}, expected microseconds above 0`,
    );
  }
  if (typeof definition.run !== 'function') {
    throw new FrameDeadlineError('OPTION_INVALID', `run is ${describeValue(definition.run)}, expected a function`);
  }
  const made = {
    input: definition.input,
    output,
    deadlineMs: definition.deadlineMs ?? null,
    budgetUs: budgetUs ?? null,
    idempotent: definition.idempotent === true,
    run: definition.run,
  };
  Object.defineProperty(made, TASK, { value: true });
  return Object.freeze(made);
}

export function isTask(value: unknown): value is Task {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[TASK] === true;
}

/** @throws FrameDeadlineError DEADLINE_INVALID unless 0 < deadlineMs <= 600 000 */
export function checkDeadlineMs(deadlineMs: number, what: string): void {
  if (typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs <= MAX_DEADLINE_MS) return;
  throw new FrameDeadlineError(
    'DEADLINE_INVALID',
    `${what} is ${describeValue(deadlineMs)}, expected milliseconds above 0 and at most ${MAX_DEADLINE_MS} (10 minutes)`,
  );
}
