import type { Clock } from '../base/time.js';
import { COMMAND_RUN, WORKER_COMMAND } from '../memory/layout.js';
import type { SlackCollector } from './slack-collector.js';
import type { WorkerCore } from './worker-core.js';

/** A fruitless spin halves the next one, a fruitful one doubles it, between these bounds and the option. */
const SPIN_MIN_US = 2;
const SPINS_BETWEEN_PROBES = 64;
const LOOKS_PER_CLOCK_READ = 16;

/**
 * Runs jobs until the supervisor asks for something else, and returns what it asks (COMMAND_*). Between jobs the thread
 * spins for at most `spinUs`, adaptively, and then parks until it is rung or a periodic release is due: an idle worker
 * uses no CPU. Blocks; worker threads only.
 */
export class IdleLoop {
  /** After a `seek` that claimed nothing: whether the park is announced. */
  isParking: boolean;
  private readonly core: WorkerCore;
  private readonly clock: Clock;
  private readonly spinUs: number;
  private readonly slack: SlackCollector | null;
  private readonly commandAt: number;
  private spinNowUs: number;
  private parksSinceProbe: number;

  constructor(core: WorkerCore, clock: Clock, spinUs: number, slack: SlackCollector | null = null) {
    this.core = core;
    this.clock = clock;
    this.spinUs = spinUs;
    this.slack = slack;
    this.commandAt = core.memory.layout.worker(core.column) + WORKER_COMMAND;
    this.spinNowUs = spinUs;
    this.parksSinceProbe = 0;
    this.isParking = false;
  }

  run(): number {
    const { core } = this;
    for (;;) {
      // plain: an atomic look comes before each park
      const command = core.memory.control[this.commandAt]!;
      if (command !== COMMAND_RUN) return command;
      if (this.seek()) {
        core.ringOn();
        core.execute();
        core.settle();
      } else if (this.isParking) this.wait();
    }
  }

  /** What the supervisor asks of this worker: COMMAND_*. */
  command(): number {
    return Atomics.load(this.core.memory.control, this.commandAt); // acquire
  }

  /**
   * Looks for work once, and announces the park if there is none. True if a job was claimed; else `isParking` tells
   * whether to wait for the bell or to look again. Does not block.
   */
  seek(): boolean {
    if (!this.find()) return false;
    if (this.slack !== null) this.slack.jobCame();
    return true;
  }

  private find(): boolean {
    const { core } = this;
    const { bells } = core.memory;
    this.isParking = false;
    core.releaseDue();
    if (core.claimNext(false)) return true;
    if (this.spinUs > 0 && this.spin()) return true;
    // not announced: who submits meanwhile rings somebody who is parked
    if (this.slack?.beforePark() === true) return false;
    if (!bells.announcePark(core.column)) return false;
    core.adoptReleases();
    // the second look: whoever published before the announcement could not know that it had to ring
    if (this.command() !== COMMAND_RUN || core.releaseDue(true)) {
      bells.cancelPark(core.column);
      return false;
    }
    if (core.claimNext()) {
      bells.cancelPark(core.column);
      return true;
    }
    core.parked();
    this.isParking = true;
    return false;
  }

  /** Looks for work for a while without parking. True if a job was claimed. */
  private spin(): boolean {
    const { core, clock } = this;
    if (this.spinNowUs < SPIN_MIN_US) {
      this.parksSinceProbe++;
      if (this.parksSinceProbe < SPINS_BETWEEN_PROBES) return false;
      this.spinNowUs = this.spinUs;
    }
    this.parksSinceProbe = 0;
    const startUs = clock.nowUs();
    do {
      for (let look = 0; look < LOOKS_PER_CLOCK_READ; look++) {
        if (core.claimNext(false)) {
          this.spinNowUs = Math.min(this.spinUs, Math.max(SPIN_MIN_US, this.spinNowUs) * 2);
          return true;
        }
      }
      if (core.releaseDue()) return false;
    } while (((clock.nowUs() - startUs) | 0) < this.spinNowUs);
    this.spinNowUs /= 2;
    return false;
  }

  private wait(): void {
    const { core } = this;
    let timeoutMs = Number.POSITIVE_INFINITY;
    if (core.nextReleaseUs !== timeoutMs) {
      timeoutMs = (core.nextReleaseUs - this.clock.nowPreciseUs()) / 1000;
      if (timeoutMs < 0) timeoutMs = 0;
    }
    core.memory.bells.wait(core.column, timeoutMs);
  }
}
