import { FrameDeadlineError } from '../base/errors.js';
import type { ReadonlyView, Schema } from '../memory/fields.js';
import type { Outcome } from '../telemetry/outcomes.js';
import { Job } from './job.js';

/**
 * A job of a frame in development mode: it is not used again for another one, and once its frame is over whatever is
 * asked of it throws JOB_STALE.
 */
export class WatchedJob<I extends Schema = Schema, O extends Schema = Schema> extends Job<I, O> {
  private isOver = false;

  /** Its frame's slots are given back. */
  override frameIsOver(): void {
    this.isOver = true;
  }

  override get ended(): boolean {
    this.requireFrame('ended');
    return super.ended;
  }
  override get outcome(): Outcome | 'pending' | 'refused' {
    this.requireFrame('outcome');
    return super.outcome;
  }
  override get output(): ReadonlyView<O> {
    this.requireFrame('output');
    return super.output;
  }
  override get error(): FrameDeadlineError | null {
    this.requireFrame('error');
    return super.error;
  }
  override get done(): Promise<this> {
    this.requireFrame('done');
    return super.done;
  }
  override get queueingUs(): number {
    this.requireFrame('queueingUs');
    return super.queueingUs;
  }
  override get executionUs(): number {
    this.requireFrame('executionUs');
    return super.executionUs;
  }
  override get latenessUs(): number {
    this.requireFrame('latenessUs');
    return super.latenessUs;
  }
  override cancel(): boolean {
    this.requireFrame('cancel()');
    return super.cancel();
  }
  override release(): void {
    this.requireFrame('release()');
    super.release();
  }

  private requireFrame(what: string): void {
    if (!this.isOver) return;
    throw new FrameDeadlineError(
      'JOB_STALE',
      `${what} of a job of ${this.handle.laneName}.${this.handle.name} was asked for after its frame; jobs of a frame are valid until the next frame of the same loop begins (without \`development: true\` this would be another job)`,
    );
  }
}
