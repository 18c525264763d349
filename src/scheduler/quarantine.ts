import { TASK_QUARANTINED } from '../memory/layout.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { Place } from './places.js';

/** A task that has ended its worker so often within the time below is not run any more. */
export const QUARANTINE_DEATHS = 3;
export const QUARANTINE_WINDOW_MS = 60_000;

/** A task that is not run any more because it ended its worker time after time. */
export interface QuarantinedTask {
  /** Index of the task. */
  readonly task: number;
  /** How often within the time that counts. */
  readonly deaths: number;
  /** Why the last of them ended, in words. */
  readonly lastDeath: string;
}

/** Counts which tasks end their workers, and tells all threads which are not to be run any more. Supervisor. */
export class Quarantine {
  private readonly memory: AttachedMemory;
  private readonly nowMs: () => number;
  private readonly timesMs: Map<number, number[]>;

  constructor(memory: AttachedMemory, nowMs: () => number) {
    this.memory = memory;
    this.nowMs = nowMs;
    this.timesMs = new Map();
  }

  /** Notes that a worker ended while it ran the task. Returns what is known of the task if that was once too often. */
  private note(task: number, nowMs: number, lastDeath: string): QuarantinedTask | null {
    const recent = (this.timesMs.get(task) ?? []).filter((timeMs) => nowMs - timeMs < QUARANTINE_WINDOW_MS);
    recent.push(nowMs);
    this.timesMs.set(task, recent);
    if (recent.length < QUARANTINE_DEATHS) return null;
    Atomics.store(this.memory.control, this.memory.layout.task(task) + TASK_QUARANTINED, recent.length); // release
    return { task, deaths: recent.length, lastDeath };
  }

  /** Notes which task ended the place's worker, by `place.lastDeath`. False if it was none (-1): it ended by itself. */
  noteKill(place: Place, task: number): boolean {
    if (task < 0) return false;
    const quarantined = this.note(task, this.nowMs(), place.lastDeath ?? 'unknown');
    if (quarantined !== null) {
      const at = place.quarantined.findIndex((known) => known.task === task);
      place.quarantined.splice(at < 0 ? place.quarantined.length : at, 1, quarantined);
    }
    return true;
  }

  /** The task has new code: it may be run again. */
  lift(task: number, places: readonly Place[]): void {
    this.timesMs.delete(task);
    Atomics.store(this.memory.control, this.memory.layout.task(task) + TASK_QUARANTINED, 0); // release
    for (const { quarantined } of places) {
      const at = quarantined.findIndex((known) => known.task === task);
      if (at >= 0) quarantined.splice(at, 1);
    }
  }
}
