import { StreamRing, task } from 'frame-deadline';
import { PARAMETERS } from '../../../dist/cli/demo/audio/parameters.js';
import { EventMapper } from '../../../dist/cli/demo/events/mapping.js';
import { EVENT_RECORD_WORDS } from '../../../dist/cli/demo/events/record.js';
import { EVENT_LOG_RECORDS, RELEASED_EVENTS, stageOf } from './stage.js';

/** The input lane's state on its one worker: turns events into changes of the sound, and hands them to the picture. */
class InputLane {
  /** @param {import('./stage.js').Stage} stage */
  constructor(stage) {
    this.words = new Int32Array(stage.words);
    this.events = StreamRing.attach(stage.events, 'records').consumer({ takeOver: true });
    this.changes = StreamRing.attach(stage.changes, 'records').producer({ takeOver: true });
    this.log = new Int32Array(stage.eventLog);
    this.mapper = new EventMapper(PARAMETERS);
  }

  /** Sends on what has come. Where the audio lane is behind and its ring full, events wait; none is lost. */
  release() {
    const { events, log, words } = this;
    const { i32, f32 } = events.memory;
    for (let at = events.beginRead(); at >= 0; at = events.beginRead()) {
      const base = at >> 2;
      if (!this.send(i32, f32, base)) return;
      const released = Atomics.load(words, RELEASED_EVENTS);
      const to = (released & (EVENT_LOG_RECORDS - 1)) * EVENT_RECORD_WORDS;
      for (let word = 0; word < EVENT_RECORD_WORDS; word++) log[to + word] = i32[base + word] ?? 0;
      events.commitRead();
      Atomics.store(words, RELEASED_EVENTS, (released + 1) | 0); // release
    }
  }

  /** @param {Int32Array} i32 @param {Float32Array} f32 @param {number} base */
  send(i32, f32, base) {
    const { mapper, changes } = this;
    const count = mapper.mapRecord(i32, f32, base);
    if (changes.writableRecords() < count) return false;
    for (let i = 0; i < count; i++) {
      const at = changes.beginWrite();
      changes.memory.i32[at >> 2] = mapper.parameters[i] ?? 0;
      changes.memory.f64[(at >> 3) + 1] = mapper.values[i] ?? 0;
      changes.commitWrite();
    }
    return true;
  }
}

/** @type {InputLane | null} */
let lane = null;

/** Periodic: sends on the events that have come. */
export const poll = task({
  input: {},
  budgetUs: 500,
  run(_input, _output, context) {
    lane ??= new InputLane(stageOf(context.shared));
    lane.release();
  },
});
