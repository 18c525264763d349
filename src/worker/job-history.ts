import { SLOT_FRAME, SLOT_FRAME_NUMBER, SLOT_SEQUENCE, SLOT_TASK } from '../memory/layout.js';

const ENTRIES = 16;
const ENTRY_TASK = 0;
const ENTRY_START_US = 1;
const ENTRY_EXECUTION_US = 2;
const ENTRY_SEQUENCE = 3;
const ENTRY_FRAME_NUMBER = 4;
const ENTRY_WORDS = 5;

/** What one thread ran last: the possible culprits of its next misses. That thread only; allocates nothing. */
export class JobHistory {
  /** Of the job that `find` found. */
  task: number;
  startUs: number;
  executionUs: number;
  sequence: number;
  /** Number of its frame, or -1. */
  frameNumber: number;
  private readonly words: Int32Array;
  private next: number;

  constructor() {
    this.task = 0;
    this.startUs = 0;
    this.executionUs = 0;
    this.sequence = 0;
    this.frameNumber = -1;
    this.words = new Int32Array(ENTRIES * ENTRY_WORDS);
    this.next = 0;
  }

  /** Notes the job in the slot at `base`, which has ended. */
  add(i32: Int32Array, base: number, startUs: number, executionUs: number): void {
    const { words } = this;
    const at = this.next;
    this.next = at === (ENTRIES - 1) * ENTRY_WORDS ? 0 : at + ENTRY_WORDS;
    words[at + ENTRY_TASK] = i32[base + SLOT_TASK]! + 1;
    words[at + ENTRY_START_US] = startUs;
    words[at + ENTRY_EXECUTION_US] = executionUs;
    words[at + ENTRY_SEQUENCE] = i32[base + SLOT_SEQUENCE]!;
    words[at + ENTRY_FRAME_NUMBER] = frameNumberOf(i32, base);
  }

  /** Finds the job that held the thread longest between the two stamps. False if none did. */
  find(fromUs: number, toUs: number): boolean {
    const { words } = this;
    let longest = 0;
    let found = -1;
    for (let at = 0; at < ENTRIES * ENTRY_WORDS; at += ENTRY_WORDS) {
      if (words[at + ENTRY_TASK] === 0) continue;
      const start = words[at + ENTRY_START_US]!;
      const end = (start + words[at + ENTRY_EXECUTION_US]!) | 0;
      // one that was over by then, also half an hour ago and more
      if (((end - fromUs) | 0) <= 0 || ((toUs - start) | 0) <= 0) continue;
      const heldFrom = ((start - fromUs) | 0) > 0 ? start : fromUs;
      const heldTo = ((end - toUs) | 0) < 0 ? end : toUs;
      const heldUs = (heldTo - heldFrom) | 0;
      if (heldUs <= longest) continue;
      longest = heldUs;
      found = at;
    }
    if (found < 0) return false;
    this.task = words[found + ENTRY_TASK]! - 1;
    this.startUs = words[found + ENTRY_START_US]!;
    this.executionUs = words[found + ENTRY_EXECUTION_US]!;
    this.sequence = words[found + ENTRY_SEQUENCE]!;
    this.frameNumber = words[found + ENTRY_FRAME_NUMBER]!;
    return true;
  }
}

/** Number of the job's frame, or -1. */
export function frameNumberOf(i32: Int32Array, base: number): number {
  return i32[base + SLOT_FRAME]! === 0 ? -1 : i32[base + SLOT_FRAME_NUMBER]!;
}
