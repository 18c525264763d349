import type { FrameDeadlineError } from '../base/errors.js';
import type { Schema, View } from '../memory/fields.js';
import { layoutSchema } from '../memory/schema-layout.js';
import { ViewFactory } from '../memory/views.js';
import { PrivateView, staleView } from './private-view.js';
import type { JobContext, Task } from './task.js';

/** A handler as a worker calls it. */
type Run = (input: unknown, output: unknown, context: unknown) => unknown;

/** What a handler of development mode is told: the same as ever, until it returns. */
class WatchedContext implements JobContext {
  private readonly context: JobContext;
  private readonly ended: () => FrameDeadlineError;
  private isEnded: boolean;
  constructor(context: JobContext, ended: () => FrameDeadlineError) {
    this.context = context;
    this.ended = ended;
    this.isEnded = false;
  }
  end(): void {
    this.isEnded = true;
  }
  timeToDeadlineUs(): number {
    return this.open().timeToDeadlineUs();
  }
  cancelled(): boolean {
    return this.open().cancelled();
  }
  shouldYield(): boolean {
    return this.open().shouldYield();
  }
  get workerIndex(): number {
    return this.open().workerIndex;
  }
  get laneName(): string {
    return this.open().laneName;
  }
  get frameNumber(): number {
    return this.open().frameNumber;
  }
  get period(): number {
    return this.open().period;
  }
  get shared(): Readonly<Record<string, unknown>> {
    return this.open().shared;
  }
  private open(): JobContext {
    if (this.isEnded) throw this.ended();
    return this.context;
  }
}

/**
 * The handler of development mode: it works on private copies of its input and output, which are detached when it has
 * returned, so that what it keeps of them (or of `context`) is found at the next touch instead of reading or writing
 * another job's data. Allocates and copies for each job.
 * @param name of the task, with its lane
 */
export function watchedRun(task: Task, name: string): Run {
  const inputs = new ViewFactory<Schema>(layoutSchema(task.input, `input of ${name}`));
  const outputs = new ViewFactory<Schema>(layoutSchema(task.output, `output of ${name}`));
  const when = 'its handler had returned';
  const staleInput = (): FrameDeadlineError => staleView(`the input of a job of ${name}`, when);
  const staleOutput = (): FrameDeadlineError => staleView(`the output of a job of ${name}`, when);
  const staleContext = (): FrameDeadlineError => staleView(`the context of a job of ${name}`, when);
  const run = task.run as Run;
  return (givenInput, givenOutput, givenContext) => {
    const input = new PrivateView(inputs, givenInput as View<Schema>, staleInput);
    const output = new PrivateView(outputs, givenOutput as View<Schema>, staleOutput);
    const context = new WatchedContext(givenContext as JobContext, staleContext);
    try {
      return run(input.view, output.view, context);
    } finally {
      output.copyBack();
      input.end();
      output.end();
      context.end();
    }
  };
}
