import { StreamRing } from 'frame-deadline';

// As stream-ring.js, with the consumer reading where the samples lie: the one write is the only copy.

export { allocate, producer } from './stream-ring.js';

export function consumer(buffer, samples) {
  const side = StreamRing.attach(buffer, 'f32').consumer();
  const sampleFrames = samples / 2;
  return (block) => {
    if (side.beginRead(sampleFrames) !== sampleFrames) return false;
    block[0] = side.samples[side.readOffset()];
    side.commitRead(sampleFrames);
    return true;
  };
}
