import { describe, expect, it } from 'vitest';
import { CaptureStream } from '../../src/web-audio/capture-stream.js';
import { PlaybackStream } from '../../src/web-audio/playback-stream.js';
import { BLOCK, ringWithClock } from './support.js';

const TURNS = 100_000;

describe('a block', () => {
  it('costs no garbage: lane, playback, capture and reading lane together', () => {
    const played = ringWithClock({ channels: 2, capacity: 4096, target: 512 });
    const recorded = ringWithClock({ channels: 2, capacity: 4096, target: 512 });
    const playback = new PlaybackStream({
      ring: played.ring.buffer,
      clock: played.clock.buffer,
      maxDepthSampleFrames: 3000,
    });
    const capture = new CaptureStream({ ring: recorded.ring.buffer, clock: recorded.clock.buffer });
    const producer = played.ring.producer();
    const consumer = recorded.ring.consumer();
    const block = new Float32Array(2 * BLOCK);
    const ports = [[new Float32Array(BLOCK), new Float32Array(BLOCK)]];
    let now = 0;
    const turns = (count: number) => {
      for (let i = 0; i < count; i++) {
        for (let due = played.clock.blocksDue(producer, BLOCK); due > 0; due--) producer.write(block, 0, BLOCK);
        playback.render(ports, now);
        capture.capture(ports, BLOCK, now);
        consumer.read(block, 0, BLOCK);
        now += BLOCK;
      }
    };
    turns(TURNS); // until it is compiled
    const growths: number[] = [];
    for (let n = 0; n < 5; n++) {
      const before = process.memoryUsage().heapUsed;
      turns(TURNS);
      growths.push(process.memoryUsage().heapUsed - before);
    }
    expect(played.ring.counts().underruns + recorded.ring.counts().overruns).toBe(0);
    // the least object has 12 bytes; the median bears a collection or a late compilation in two of the five
    growths.sort((a, b) => a - b);
    expect(growths[2]! / TURNS).toBeLessThan(4);
    expect(growths[2]! / TURNS).toBeGreaterThan(-4);
  });
});
