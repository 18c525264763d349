import { HostCore } from '../scheduler/host-core.js';
import type { TaskHandle } from '../scheduler/task-handle.js';
import { REFUSALS } from '../telemetry/outcomes.js';

/** Refusals that tests may ask for. */
export type InjectedRefusal = 'full' | 'noWorker';

/** The host core, with submits that are refused because a test wants it. */
export class RefusingHostCore extends HostCore {
  /** By lane and reason: how many submits are still to be refused. */
  private pending: { readonly lane: number; readonly refusal: number; left: number }[] | undefined;

  refuseNext(lane: number, reason: InjectedRefusal, count: number): void {
    this.pending ??= [];
    this.pending.push({ lane, refusal: REFUSALS.indexOf(reason), left: count });
  }

  protected override refusalOf(handle: TaskHandle): number {
    const natural = super.refusalOf(handle);
    if (natural >= 0) return natural;
    const next = this.pending?.find(({ lane, left }) => lane === handle.info.lane && left > 0);
    if (next === undefined) return -1;
    next.left--;
    return next.refusal;
  }
}
