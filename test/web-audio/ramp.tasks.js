import { AudioClock, StreamRing, task } from '../../dist/web.js';

const BLOCK = 128;
const HANG = 0;

let stream = null;

/** Fills the ring with a ramp from 1, and goes on with it where the worker before this one stopped. */
export const ramp = task({
  input: {},
  run(_input, _output, { shared }) {
    if (stream === null) {
      const ring = StreamRing.attach(shared.ring, 'f32');
      const producer = ring.producer({ takeOver: true });
      const control = new Int32Array(shared.control);
      stream = {
        producer,
        control,
        clock: AudioClock.attach(shared.clock),
        block: new Float32Array(BLOCK),
        written: ring.writtenItems(),
      };
    }
    const { producer, control, clock, block } = stream;
    for (let due = clock.blocksDue(producer, BLOCK); due > 0; due--) {
      // one worker only
      if (Atomics.compareExchange(control, HANG, 1, 0) === 1) for (;;);
      for (let i = 0; i < BLOCK; i++) block[i] = ((stream.written + i) % 8_388_608) + 1;
      stream.written += producer.write(block, 0, BLOCK);
    }
  },
});

let pipe = null;

/** Hands on all that was recorded. */
export const through = task({
  input: {},
  run(_input, _output, { shared }) {
    pipe ??= {
      from: StreamRing.attach(shared.from, 'f32').consumer(),
      to: StreamRing.attach(shared.to, 'f32').producer(),
      block: new Float32Array(BLOCK * 2),
    };
    const { from, to, block } = pipe;
    while (from.readableSampleFrames() >= BLOCK && to.writableSampleFrames() >= BLOCK) {
      from.read(block, 0, BLOCK);
      to.write(block, 0, BLOCK);
    }
  },
});
