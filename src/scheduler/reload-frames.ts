import { CONTROL_SWITCHING, FRAME_HELD, FRAME_OPEN, FRAME_SLOT_COUNT, HOST_COLUMN } from '../memory/layout.js';
import type { AttachedMemory } from '../worker/attached-memory.js';

// How frames keep clear of a reload. The host announces a frame before it asks whether workers are being switched, and
// the supervisor announces the switch before it looks for frames: at least one of them sees the other.

/** Announces a frame that begins. True if it must be held. Host. */
export function beginsWhileSwitching(memory: AttachedMemory, frame: number): boolean {
  const { control, layout } = memory;
  Atomics.store(control, layout.frame(frame) + FRAME_OPEN, 1); // release
  return Atomics.load(control, CONTROL_SWITCHING) !== 0; // acquire
}

/** The frame takes no more submits. Host. */
export function noteClosed(memory: AttachedMemory, frame: number): void {
  Atomics.store(memory.control, memory.layout.frame(frame) + FRAME_OPEN, 0); // release
}

/** Holds a frame whose first stage has one job that nobody runs: the end of the switch is counted as that. Host. */
export function holdFrame(memory: AttachedMemory, frame: number): void {
  const { control, layout } = memory;
  Atomics.store(control, layout.frame(frame) + FRAME_HELD, 1); // release
  // it may have ended meanwhile
  if (Atomics.load(control, CONTROL_SWITCHING) === 0) letGo(memory, frame, HOST_COLUMN);
}

/** Ends a switch: held frames go on. `column`: of the calling thread. Supervisor; host once there is none. */
export function endSwitch(memory: AttachedMemory, column: number): void {
  Atomics.store(memory.control, CONTROL_SWITCHING, 0); // release
  for (let frame = 0; frame < FRAME_SLOT_COUNT; frame++) letGo(memory, frame, column);
}

/** Whether a frame that is not held is being submitted to or has jobs that have not ended. Supervisor. */
export function hasUnfinishedFrame(memory: AttachedMemory): boolean {
  const { control, layout, frames } = memory;
  for (let frame = 0; frame < FRAME_SLOT_COUNT; frame++) {
    const base = layout.frame(frame);
    const isOpen = Atomics.load(control, base + FRAME_OPEN) !== 0; // acquire
    const isUnfinished = isOpen || frames.stagesComplete(frame) !== frames.stagesClosed(frame);
    // after the look: a frame that is held was held before its first job
    if (isUnfinished && Atomics.load(control, base + FRAME_HELD) === 0) return true; // acquire
  }
  return false;
}

function letGo(memory: AttachedMemory, frame: number, column: number): void {
  const { control, layout, frames } = memory;
  const before = Atomics.compareExchange(control, layout.frame(frame) + FRAME_HELD, 1, 0);
  if (before === 1) frames.storeColumn(frame, column, frames.columnAfterNext(frame, column));
}
