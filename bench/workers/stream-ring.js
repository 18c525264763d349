import { StreamRing } from 'frame-deadline';

// Our ring for bench/streams.js: blocks of `samples` f32 numbers, stereo.

export function allocate(blocks, samples) {
  return StreamRing.allocate({ kind: 'f32', channels: 2, capacitySampleFrames: (blocks * samples) / 2 }).buffer;
}

export function producer(buffer, samples) {
  const side = StreamRing.attach(buffer, 'f32').producer();
  const sampleFrames = samples / 2;
  return (block) => side.write(block, 0, sampleFrames) === sampleFrames;
}

export function consumer(buffer, samples) {
  const side = StreamRing.attach(buffer, 'f32').consumer();
  const sampleFrames = samples / 2;
  return (block) => side.read(block, 0, sampleFrames) === sampleFrames;
}
