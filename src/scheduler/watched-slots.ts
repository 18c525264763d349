import type { FrameDeadlineError } from '../base/errors.js';
import type { Schema, View } from '../memory/fields.js';
import { layoutSchema } from '../memory/schema-layout.js';
import { ViewFactory } from '../memory/views.js';
import type { JobRing } from '../ring/job-ring.js';
import { PrivateView, staleView } from '../worker/private-view.js';
import type { Task } from '../worker/task.js';
import { SlotViews } from '../worker/task-runtime.js';

/**
 * The host's views in development mode: `task.input` and `job.output` are private copies, detached at the submit and when
 * the slot is given back, so that what is kept of them is found at the next touch. Allocates and copies for each job.
 */
export class WatchedSlotViews extends SlotViews {
  private readonly inputFactories: ViewFactory<Schema>;
  private readonly outputFactories: ViewFactory<Schema>;
  private readonly begun: Map<number, PrivateView>;
  private readonly read: Map<number, PrivateView>;
  private readonly staleInput: () => FrameDeadlineError;
  private readonly staleOutput: () => FrameDeadlineError;

  constructor(task: Pick<Task, 'input' | 'output'>, outputOffset: number, ring: JobRing, name: string) {
    super(task, outputOffset, ring, name);
    this.inputFactories = new ViewFactory(layoutSchema(task.input, `input of ${name}`));
    this.outputFactories = new ViewFactory(layoutSchema(task.output, `output of ${name}`));
    this.begun = new Map();
    this.read = new Map();
    this.staleInput = () => staleView(`the input of ${name}`, 'its submit');
    this.staleOutput = () => staleView(`the output of a job of ${name}`, 'its slot was given back');
  }

  override freshInput(slot: number): unknown {
    const input = new PrivateView(this.inputFactories, super.freshInput(slot) as View<Schema>, this.staleInput);
    this.begun.set(slot, input);
    return input.view;
  }

  override submitted(slot: number): void {
    const input = this.begun.get(slot);
    if (input === undefined) return;
    this.begun.delete(slot);
    input.copyBack();
    input.end();
  }

  /** Of a job that has ended: the same copy until the slot is given back. */
  override output(slot: number): unknown {
    let output = this.read.get(slot);
    if (output === undefined) {
      output = new PrivateView(this.outputFactories, super.output(slot) as View<Schema>, this.staleOutput);
      this.read.set(slot, output);
    }
    return output.view;
  }

  override freed(slot: number): void {
    const output = this.read.get(slot);
    if (output === undefined) return;
    this.read.delete(slot);
    output.end();
  }
}
