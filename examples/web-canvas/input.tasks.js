import { StreamRing, task } from 'frame-deadline';
import { EVENTS, TRAIL_POINTS } from './stage.js';

class PointerReader {
  /** @param {import('./stage.js').Stage} stage */
  constructor(stage) {
    this.consumer = StreamRing.attach(stage.pointer, 'records').consumer({ takeOver: true });
    this.words = new Int32Array(stage.words);
    this.trail = new Float32Array(stage.trail);
    this.stamp = new Float64Array(stage.stamp);
  }

  read() {
    const { consumer, words, trail, stamp } = this;
    const { f64, f32 } = consumer.memory;
    for (let at = consumer.beginRead(); at >= 0; at = consumer.beginRead()) {
      const events = Atomics.load(words, EVENTS);
      const point = (events & (TRAIL_POINTS - 1)) * 2;
      stamp[0] = f64[at >> 3] ?? 0;
      trail[point] = f32[(at >> 2) + 2] ?? 0;
      trail[point + 1] = f32[(at >> 2) + 3] ?? 0;
      consumer.commitRead();
      Atomics.store(words, EVENTS, events + 1); // release
    }
  }
}

/** @type {PointerReader | null} */
let reader = null;

/** Periodic: moves pointer events from the ring into the trail. */
export const read = task({
  input: {},
  run(_input, _output, context) {
    reader ??= new PointerReader(/** @type {any} */ (context.shared.stage));
    reader.read();
  },
});
