import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { describeSchema, sameSchema, schemaFromDescription } from '../memory/schema-layout.js';
import { type InitializeContext, isTask, type Task } from '../worker/task.js';
import type { PlainError, TaskDescription } from './protocol.js';

/** The tasks that a module exports, by the names of the exports, in the order of the names. */
export function tasksOf(module: unknown): Map<string, Task> {
  const tasks = new Map<string, Task>();
  if (typeof module !== 'object' || module === null) return tasks;
  for (const name of Object.keys(module).sort()) {
    const value = (module as Record<string, unknown>)[name];
    if (isTask(value)) tasks.set(name, value);
  }
  return tasks;
}

/** @throws FrameDeadlineError TASK_MODULE_EMPTY if the module exports no task */
export function describeTasks(module: unknown, laneName: string, from: string): TaskDescription[] {
  const tasks = tasksOf(module);
  if (tasks.size === 0) {
    const exports = Object.keys(module ?? {});
    throw new FrameDeadlineError(
      'TASK_MODULE_EMPTY',
      `lane ${laneName}: ${from} exports no task (exports: ${exports.join(', ') || 'none'}); export what task({...}) returns by a name: export const x = task({...})`,
    );
  }
  return [...tasks].map(([name, task]) => ({
    name,
    input: describeSchema(task.input),
    output: describeSchema(task.output),
    deadlineMs: task.deadlineMs,
    budgetUs: task.budgetUs,
    idempotent: task.idempotent,
  }));
}

/**
 * Calls what a task module exports as `initialize`, and waits for it.
 * @throws FrameDeadlineError TASK_MODULE_FAILED with what it threw, READY_TIMEOUT
 */
export async function initializeLane(
  module: unknown,
  lane: { readonly name: string; readonly shared: Readonly<Record<string, unknown>> },
  workerIndex: number,
  timeoutMs: number,
): Promise<void> {
  const { initialize } = (module ?? {}) as { initialize?: (context: InitializeContext) => unknown };
  if (typeof initialize !== 'function') return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const message = `lane ${lane.name}: initialize() of its task module was not done after ${timeoutMs} ms; look for a promise that never resolves, or raise readyTimeoutMs`;
      reject(new FrameDeadlineError('READY_TIMEOUT', message));
    }, timeoutMs);
  });
  try {
    await Promise.race([initialize({ laneName: lane.name, shared: lane.shared, workerIndex }), late]);
  } catch (error) {
    const { code, message } = plainErrorOf(error, 'TASK_MODULE_FAILED', `lane ${lane.name}: initialize() threw `);
    throw new FrameDeadlineError(code as FrameDeadlineError['code'], message, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** @throws FrameDeadlineError TASK_MODULE_MISMATCH where two descriptions of one lane's tasks differ */
export function requireSameTasks(
  laneName: string,
  a: readonly TaskDescription[],
  b: readonly TaskDescription[],
  who: string,
): void {
  const names = (tasks: readonly TaskDescription[]): string => tasks.map((task) => task.name).join(', ');
  const fail = (what: string): never => {
    throw new FrameDeadlineError(
      'TASK_MODULE_MISMATCH',
      `lane ${laneName}: ${who} ${what}; both must be the same module`,
    );
  };
  if (names(a) !== names(b)) fail(`gives the tasks ${names(b)}, \`tasks\` gives ${names(a)}`);
  a.forEach((task, i) => {
    const other = b[i]!;
    for (const side of ['input', 'output'] as const) {
      if (!sameSchema(schemaFromDescription(task[side]), schemaFromDescription(other[side]))) {
        fail(
          `gives another ${side} of task ${task.name} (${JSON.stringify(other[side])}) than \`tasks\` (${JSON.stringify(task[side])})`,
        );
      }
    }
  });
}

export function plainErrorOf(error: unknown, code: string, prefix: string): PlainError {
  if (error instanceof FrameDeadlineError) {
    return { code: error.code, message: stripCode(error.message), stack: error.stack ?? null };
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : describeValue(error);
  return { code, message: `${prefix}${message}`, stack: error instanceof Error ? (error.stack ?? null) : null };
}

/** Our messages end with their code; it is added again where the error is made anew. */
export function stripCode(message: string): string {
  return message.replace(/ \[[A-Z_]+\]$/, '');
}

export function errorFromPlain(plain: PlainError): FrameDeadlineError {
  const cause =
    plain.stack === null ? undefined : { cause: Object.assign(new Error(plain.message), { stack: plain.stack }) };
  return new FrameDeadlineError(plain.code as FrameDeadlineError['code'], plain.message, cause);
}

/** An error of ours that crossed threads without its code: the message ends with it. */
export function errorWithCode(error: unknown): unknown {
  if (error instanceof FrameDeadlineError || !(error instanceof Error)) return error;
  const code = / \[([A-Z_]+)\]$/.exec(error.message)?.[1];
  if (code === undefined) return error;
  return new FrameDeadlineError(code as FrameDeadlineError['code'], stripCode(error.message), { cause: error });
}
