import { AudioClock } from '../../src/ring/audio-clock.js';
import { StreamRing } from '../../src/ring/stream-ring.js';

export const BLOCK = 128;

export function ringWithClock(options: {
  channels?: number;
  capacity?: number;
  target?: number;
  startIndex?: number;
}): { ring: StreamRing<'f32'>; clock: AudioClock } {
  const { channels = 1, capacity = 1024, target = 256, startIndex = 0 } = options;
  const ring = StreamRing.allocate({ kind: 'f32', channels, capacitySampleFrames: capacity, startIndex });
  return { ring, clock: AudioClock.allocate(ring, target) };
}

/** One block's ports, filled with what no stream has in it, as a careless caller would give them. */
export function dirtyPorts(channels: number, sampleFrames = BLOCK): Float32Array[][] {
  const ports: Float32Array[][] = [];
  for (let channel = 0; channel < channels; channel++) {
    if (channel % 32 === 0) ports.push([]);
    ports.at(-1)!.push(new Float32Array(sampleFrames).fill(Number.NaN));
  }
  return ports;
}

/** Interleaved sample frames whose every sample tells its place: exact in a float up to 2^24. */
export function ramp(first: number, sampleFrames: number, channels: number): Float32Array {
  return Float32Array.from({ length: sampleFrames * channels }, (_, i) => {
    const frame = first + Math.floor(i / channels);
    return frame * channels + (i % channels) + 1;
  });
}
