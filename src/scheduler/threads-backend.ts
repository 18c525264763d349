import type { Clock } from '../base/time.js';
import type { DisplayFrames, HostSignals, Platform, PreciseTimer, Standstill } from '../host/platform.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { Backend } from './backend.js';
import { BeatStandstill } from './beat.js';

/** Handlers run on worker threads; this thread sleeps in the operating system or in its event loop. */
export class ThreadsBackend implements Backend {
  readonly clock: Clock;
  readonly memory: AttachedMemory;
  readonly canBlock: boolean;
  private readonly platform: Platform;

  constructor(memory: AttachedMemory, clock: Clock, platform: Platform) {
    this.memory = memory;
    this.clock = clock;
    this.canBlock = platform.canBlock;
    this.platform = platform;
  }
  published(): void {}
  blockOn(word: number, value: number, timeoutMs: number): void {
    Atomics.wait(this.memory.control, word, value, timeoutMs);
  }
  waitAsync(word: number, value: number): Promise<unknown> | null {
    if (this.platform.waitAsync !== undefined) return this.platform.waitAsync(this.memory.control, word, value);
    const wait = Atomics.waitAsync(this.memory.control, word, value);
    return wait.async ? wait.value : null;
  }
  timer(): PreciseTimer {
    return this.platform.timer(this.clock);
  }
  display(): DisplayFrames | null {
    return this.platform.display?.(this.clock) ?? null;
  }
  hostSignals(): HostSignals | null {
    return this.platform.hostSignals?.(this.clock) ?? null;
  }
  standstill(): Standstill {
    return this.platform.standstill?.(this.clock) ?? new BeatStandstill(this.memory.control, this.clock);
  }
  isInspected(): boolean {
    return this.platform.isInspected?.() ?? false;
  }
  hold(): void {
    this.platform.hold();
  }
  drop(): void {
    this.platform.drop();
  }
}
