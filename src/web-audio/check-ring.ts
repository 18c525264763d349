import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { StreamRing } from '../ring/stream-ring.js';

/** Room for a block of an AudioWorklet beside one that is being filled. */
const LEAST_SAMPLE_FRAMES = 256;

/** @throws FrameDeadlineError OPTION_INVALID unless a shared ring of sound with room for two blocks */
export function checkRing(what: string, ring: StreamRing<'f32'>): void {
  if (!(ring instanceof StreamRing) || ring.kind !== 'f32') {
    const given = ring instanceof StreamRing ? `a ring of kind "${(ring as StreamRing).kind}"` : describeValue(ring);
    const copies = isRingOfAnotherCopy(ring) ? '; it is of another copy of the package: bundle both into one app' : '';
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `${what}: ${given} given, a StreamRing of kind "f32" expected${copies}`,
    );
  }
  if (ring.capacityItems < LEAST_SAMPLE_FRAMES) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `${what}: a ring for ${ring.capacityItems} sample frames given, at least ${LEAST_SAMPLE_FRAMES} expected (two blocks of an AudioWorklet)`,
    );
  }
}

function isRingOfAnotherCopy(ring: unknown): boolean {
  return !(ring instanceof StreamRing) && (ring as StreamRing | null | undefined)?.kind === 'f32';
}
