import type { Clock } from '../base/time.js';
import type { DisplayFrames, HostSignals, PreciseTimer, Standstill } from '../host/platform.js';
import type { AttachedMemory } from '../worker/attached-memory.js';

/** Where and how handlers run, and how this thread waits: the one seam between the host side and the platform. */
export interface Backend {
  readonly clock: Clock;
  readonly memory: AttachedMemory;
  /** Whether `joinSync` works here. */
  readonly canBlock: boolean;
  /** Called after jobs were published or became ready. Cheap: it is called for each job. */
  published(): void;
  /**
   * Lets time pass or jobs run in this thread's place, until the word of the control region differs from `value` or
   * `timeoutMs` has gone by. May return early.
   */
  blockOn(word: number, value: number, timeoutMs: number): void;
  /** Resolves when the word differs from `value`; null if it does already. Does not keep the process alive. */
  waitAsync(word: number, value: number): Promise<unknown> | null;
  /** Nothing will run any more and all is settled: whoever waits looks once more. Absent: changed words wake them. */
  settled?(): void;
  timer(): PreciseTimer;
  /** The frames of the display, which drive the loops; null where there is none. Absent: there is none. */
  display?(): DisplayFrames | null;
  /** What held up the calling thread; null where nobody tells. */
  hostSignals?(): HostSignals | null;
  /** Whether the process stood still; null where nobody tells. */
  standstill?(): Standstill | null;
  /** Whether a debugger could stop this process's threads now. Absent: nobody can tell. */
  isInspected?(): boolean;
  /** Keeps the process alive until `drop` was called as often. */
  hold(): void;
  drop(): void;
}
