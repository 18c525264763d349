import { AudioClock, StreamRing, task } from 'frame-deadline';

const BLOCK = 128;
/** Words that the page and this lane share: see page.js. */
const KEY = 0;
const ANSWERED_KEY = 1;
const ANSWERED_AT = 2;
const STALL_MS = 3;

class Tone {
  /** @param {Readonly<Record<string, any>>} shared */
  constructor(shared) {
    this.ring = StreamRing.attach(shared.ring, 'f32');
    // a worker that replaces a dead one goes on where that one stopped
    this.producer = this.ring.producer({ takeOver: true });
    this.clock = AudioClock.attach(shared.clock);
    this.control = new Int32Array(shared.control);
    this.step = (2 * Math.PI * 440) / shared.sampleRate;
    this.block = new Float32Array(BLOCK);
    this.phase = 0;
    this.gain = 0;
  }

  /** Renders as many blocks as the device has made room for: often none. Allocates nothing. */
  fill() {
    const { block, control, clock, producer } = this;
    for (let due = clock.blocksDue(producer, BLOCK); due > 0; due--) {
      const key = Atomics.load(control, KEY);
      if (key !== Atomics.load(control, ANSWERED_KEY)) {
        Atomics.store(control, ANSWERED_AT, this.ring.writtenItems());
        Atomics.store(control, ANSWERED_KEY, key);
      }
      const wanted = (key & 1) * 0.2;
      for (let i = 0; i < BLOCK; i++) {
        this.gain += (wanted - this.gain) * 0.01;
        block[i] = Math.sin(this.phase) * this.gain;
        this.phase = (this.phase + this.step) % (2 * Math.PI);
      }
      producer.write(block, 0, BLOCK);
    }
  }
}

/** @type {Tone | null} */
let tone = null;

/** Periodic: keeps the ring as deep as the clock says. */
export const block = task({
  input: {},
  budgetUs: 1000,
  run(_input, _output, context) {
    tone ??= new Tone(context.shared);
    const stallMs = Atomics.exchange(tone.control, STALL_MS, 0);
    if (stallMs > 0) for (const end = performance.now() + stallMs; performance.now() < end; );
    tone.fill();
  },
});
