import type { ParameterChange } from '../audio/offline.js';
import { CONTROL, type StageControl } from './control.js';

const RECORD_BYTES = 16;
/** An event makes at most two changes (EventMapper). */
const CHANGES_PER_EVENT = 2;

/** Room for every change that `events` events can make. */
export function changeLogBytes(events: number): number {
  return Math.max(1, events) * CHANGES_PER_EVENT * RECORD_BYTES;
}

/**
 * The changes with the block where each took effect: block and parameter (i32 each), value (f64). The audio lane
 * appends, anyone reads the first `loggedChanges`.
 */
export class ChangeLogWriter {
  private readonly control: StageControl;
  private readonly words: Int32Array;
  private readonly values: Float64Array;
  private count: number;

  constructor(buffer: SharedArrayBuffer, control: StageControl) {
    this.control = control;
    this.words = new Int32Array(buffer);
    this.values = new Float64Array(buffer);
    this.count = control.load(CONTROL.loggedChanges);
  }

  /** Allocates nothing. */
  append(block: number, parameter: number, value: number): void {
    const { count } = this;
    this.words[count * 4] = block;
    this.words[count * 4 + 1] = parameter;
    this.values[count * 2 + 1] = value;
    this.count = count + 1;
    this.control.store(CONTROL.loggedChanges, this.count); // release
  }
}

export function readChangeLog(buffer: SharedArrayBuffer, control: StageControl): ParameterChange[] {
  const count = control.load(CONTROL.loggedChanges); // acquire
  const words = new Int32Array(buffer);
  const values = new Float64Array(buffer);
  return Array.from({ length: count }, (_, i) => ({
    block: words[i * 4]!,
    parameter: words[i * 4 + 1]!,
    value: values[i * 2 + 1]!,
  }));
}
