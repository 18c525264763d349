import { CONTROL_COMPLETION_EPOCH, CONTROL_HOST_WAITING } from '../memory/layout.js';
import type { Backend } from './backend.js';
import type { Job } from './job.js';

interface Waiter {
  readonly job: Pick<Job, 'ended'>;
  readonly resolve: () => void;
}

/** Waits for jobs one by one (`job.done`). One wait for all of them; while there are any, finishers ring this thread. */
export class Completions {
  private readonly backend: Backend;
  private waiters: Waiter[];
  private pumping: boolean;

  constructor(backend: Backend) {
    this.backend = backend;
    this.waiters = [];
    this.pumping = false;
  }

  add(job: Pick<Job, 'ended'>, resolve: () => void): void {
    this.waiters.push({ job, resolve });
    if (this.pumping) return;
    this.pumping = true;
    this.backend.hold();
    void this.pump();
  }

  /** Looks at all waiters now: for ends that this thread itself brought about. Ends the wait when that was the last one. */
  settle(): void {
    if (this.waiters.length === 0) return;
    this.look();
    if (this.waiters.length > 0) return;
    const { control } = this.backend.memory;
    Atomics.add(control, CONTROL_COMPLETION_EPOCH, 1); // release
    Atomics.notify(control, CONTROL_COMPLETION_EPOCH);
  }

  private look(): void {
    // each job is asked once: one that ends between two looks would be dropped by the second and resolved by neither
    const ended: Waiter[] = [];
    const pending: Waiter[] = [];
    for (const waiter of this.waiters) (waiter.job.ended ? ended : pending).push(waiter);
    if (ended.length === 0) return;
    this.waiters = pending;
    for (const { resolve } of ended) resolve();
  }

  private async pump(): Promise<void> {
    const { control } = this.backend.memory;
    Atomics.store(control, CONTROL_HOST_WAITING, 1); // release
    for (;;) {
      // the epoch is read before the jobs are looked at: what ends after that changes it
      const epoch = Atomics.load(control, CONTROL_COMPLETION_EPOCH); // acquire
      this.look();
      if (this.waiters.length === 0) break;
      const wait = this.backend.waitAsync(CONTROL_COMPLETION_EPOCH, epoch);
      if (wait !== null) await wait;
    }
    Atomics.store(control, CONTROL_HOST_WAITING, 0);
    this.pumping = false;
    this.backend.drop();
  }
}
