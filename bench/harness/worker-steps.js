import { workerCoreOf } from '../../dist/scheduler/host-handlers.js';
import * as tasks from '../tasks/echo.tasks.js';

/** The worker's part of a job with the real `WorkerCore`, whole or step by step over a batch. Nanoseconds a batch. */
export class WorkerSteps {
  constructor(memory, clock, plan, column) {
    this.core = workerCoreOf(memory, clock, plan, [tasks], column, column);
    this.scanner = this.core.scanners[0];
    this.column = column;
    this.claimed = Array.from({ length: 256 }, () => ({ slot: 0, running: 0, base: 0, task: null, startUs: 0 }));
  }

  /** As a worker goes from job to job. */
  whole(count) {
    const { core } = this;
    const start = performance.now();
    for (let done = 0; done < count; ) {
      if (!core.claimNext(false)) continue;
      core.ringOn();
      core.execute();
      core.settle();
      done++;
    }
    const ns = (performance.now() - start) * 1e6;
    // a worker looks until it finds nothing; without that the scanner would go on with what it has in its heap
    core.claimNext(false);
    return ns;
  }

  /** Until nothing is ready. Returns how many jobs it ran. */
  drain() {
    const { core } = this;
    let jobs = 0;
    while (core.claimNext(true)) {
      core.execute();
      core.settle();
      jobs++;
    }
    return jobs;
  }

  /** Into `ns`: look and claim, begin, handler, settle. */
  parted(count, ns) {
    const { core, scanner, column, claimed } = this;
    const { ring } = scanner;
    const t0 = performance.now();
    for (let i = 0; i < count; i++) {
      while (!scanner.look(false));
      claimed[i].running = scanner.claim(column);
      claimed[i].slot = scanner.slot;
    }
    const t1 = performance.now();
    for (let i = 0; i < count; i++) {
      const job = claimed[i];
      // as from job to job: the last finish is the start
      core.lastFinishIsNow = true;
      core.begin(ring, job.slot, job.running);
      job.base = core.base;
      job.task = core.task;
      job.startUs = core.startUs;
    }
    const t2 = performance.now();
    for (let i = 0; i < count; i++) {
      this.restore(claimed[i]);
      core.execute();
    }
    const t3 = performance.now();
    for (let i = 0; i < count; i++) {
      this.restore(claimed[i]);
      core.settle();
    }
    const t4 = performance.now();
    scanner.look(false);
    ns[0] = (t1 - t0) * 1e6;
    ns[1] = (t2 - t1) * 1e6;
    ns[2] = (t3 - t2) * 1e6;
    ns[3] = (t4 - t3) * 1e6;
  }

  restore(job) {
    const { core } = this;
    core.slot = job.slot;
    core.running = job.running;
    core.base = job.base;
    core.task = job.task;
    core.startUs = job.startUs;
  }
}
