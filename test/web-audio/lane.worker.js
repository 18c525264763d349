// Stands for an audio lane: released by its own clock, it fills the ring to the depth, with a ramp from 1.
import { AudioClock } from '../../dist/ring/audio-clock.js';
import { StreamRing } from '../../dist/ring/stream-ring.js';

const BLOCK = 128;
const STOP = 0;
const STALL_MS = 1;
const EVENT = 2;
const ANSWERED_AT = 3;
/** written as one sample in answer to an event */
const MARK = -1;

self.onmessage = ({ data }) => {
  const control = new Int32Array(data.control);
  const ring = StreamRing.attach(data.ring, 'f32');
  const clock = AudioClock.attach(data.clock);
  const producer = ring.producer();
  const { channels } = producer;
  const block = new Float32Array(BLOCK * channels);
  let written = 0;
  while (Atomics.load(control, STOP) === 0) {
    for (let due = clock.blocksDue(producer, BLOCK); due > 0; due--) {
      for (let i = 0; i < block.length; i++) block[i] = ((written * channels + i) % 8_388_608) + 1;
      if (Atomics.compareExchange(control, EVENT, 1, 2) === 1) {
        block[0] = MARK;
        Atomics.store(control, ANSWERED_AT, written);
        Atomics.store(control, EVENT, 3);
      }
      written += producer.write(block, 0, BLOCK);
    }
    const stall = Atomics.exchange(control, STALL_MS, 0);
    Atomics.wait(control, STOP, 0, stall || data.periodMs);
  }
  producer.close();
  self.close();
};
