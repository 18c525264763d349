import { tasksOf } from '../scheduler/load-tasks.js';
import type { JobContext, Task } from '../worker/task.js';
import type { ExecutionTimes } from './execution-times.js';

/** Told around a handler's run: `ran` with the microseconds that its job takes. */
export interface HandlerRun {
  begins(): void;
  ran(executionUs: number): void;
}

/** The module's tasks with handlers that also tell how long they take on the virtual clock. */
export function timedTasks(
  module: unknown,
  lane: string,
  times: ExecutionTimes,
  told: HandlerRun,
): Record<string, Task> {
  const timed: Record<string, Task> = {};
  for (const [name, task] of tasksOf(module)) {
    const run = (input: unknown, output: unknown, context: JobContext): unknown => {
      const executionUs = times.of(lane, name, input, context);
      told.begins();
      try {
        return (task.run as (input: unknown, output: unknown, context: JobContext) => unknown)(input, output, context);
      } finally {
        told.ran(executionUs);
      }
    };
    // the mark that makes it a task is inherited
    timed[name] = Object.create(task, { run: { value: run } }) as Task;
  }
  return timed;
}
