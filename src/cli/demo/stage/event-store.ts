import { FrameDeadlineError } from '../../../base/errors.js';
import type { DemoEvent } from '../events/event.js';
import { EVENT_RECORD_WORDS, encodeEvent } from '../events/record.js';

/** The recording in shared memory, written once before the threads start and only read after that. */
export interface EventStore {
  readonly count: number;
  /** `EVENT_RECORD_WORDS` words an event. */
  readonly records: SharedArrayBuffer;
  /** 64-bit floats: microseconds since the start, not decreasing. */
  readonly timesUs: SharedArrayBuffer;
}

/** @throws FrameDeadlineError EVENTS_INVALID where the memory cannot be had */
export function storeEvents(events: readonly DemoEvent[]): EventStore {
  let records: SharedArrayBuffer;
  let timesUs: SharedArrayBuffer;
  try {
    records = new SharedArrayBuffer(events.length * EVENT_RECORD_WORDS * 4);
    timesUs = new SharedArrayBuffer(events.length * 8);
  } catch (cause) {
    const message = `${events.length} events take more memory than can be had; give a shorter recording`;
    throw new FrameDeadlineError('EVENTS_INVALID', message, { cause });
  }
  const words = new Int32Array(records);
  const floats = new Float32Array(records);
  const times = new Float64Array(timesUs);
  for (let i = 0; i < events.length; i++) {
    encodeEvent(words, floats, i * EVENT_RECORD_WORDS, events[i]!);
    times[i] = events[i]!.timeUs;
  }
  return { count: events.length, records, timesUs };
}
