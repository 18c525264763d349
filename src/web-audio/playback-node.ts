import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { AudioClock, targetDepthSampleFrames } from '../ring/audio-clock.js';
import type { StreamRing } from '../ring/stream-ring.js';
import { AudioStream } from './audio-stream.js';
import { checkRing } from './check-ring.js';
import { loadWorklet } from './load-worklet.js';
import { CHANNELS_PER_PORT } from './planes.js';
import type { PlaybackSetup } from './playback-stream.js';
import { PLAYBACK_PROCESSOR } from './worklet-names.js';

export interface PlaybackOptions {
  /**
   * Sample frames that the ring shall hold, 1 to half its capacity. Default: what {@link targetDepthSampleFrames} gives
   * for a lane of 2.5 ms that is done 5 ms late, or half the ring if that is less. With a `clock`, the clock's.
   */
  targetDepthSampleFrames?: number;
  /**
   * For producers that do not heed the depth: above this many sample frames the oldest are skipped, down to the target
   * depth. Default: never.
   */
  maxDepthSampleFrames?: number;
  /** The clock, where the lane had to have it before the node. Default: a new one. */
  clock?: AudioClock;
  /** Where the package's `dist/web-audio/worklet.js` is served, for bundlers that do not see it. */
  workletUrl?: URL | string;
  /** The ring had another consumer, which is gone for good. */
  takeOver?: boolean;
}

/** A node that plays a ring. */
export class Playback extends AudioStream {
  /**
   * Seconds from writing a sample frame to hearing it, as it is now: the ring's depth, the context's `baseLatency` and
   * its `outputLatency` (0 where the browser or an OfflineAudioContext does not tell).
   */
  latencySeconds(): number {
    const { baseLatency = 0, outputLatency = 0 } = this.context as Partial<AudioContext>;
    return this.depthSampleFrames() / this.context.sampleRate + baseLatency + outputLatency;
  }

  /**
   * When a sample frame of the stream is heard, or was, on the clock of the page's `performance.now()`: less the stamp
   * of the event that it answers, that is the latency from event to sound. Gaps to come move it. Null before the
   * stream flows, or where the context's clock does not run.
   * @param streamSampleFrame counted from the ring's start, modulo 2^32 will do; within 12 hours of now
   */
  soundTimeMs(streamSampleFrame: number): number | null {
    if (this.clock.state() === 'waiting') return null;
    const context = this.context as Partial<AudioContext> & BaseAudioContext;
    const { sampleRate } = context;
    const atSeconds = this.clock.deviceSampleFrameOf(streamSampleFrame, this.nowSampleFrame()) / sampleRate;
    const { contextTime, performanceTime } = context.getOutputTimestamp?.() ?? {};
    if (contextTime === undefined || performanceTime === undefined || performanceTime === 0) return null;
    return performanceTime + (atSeconds - contextTime) * 1000;
  }

  /** Makes the stream deeper or less deep while it flows: see `AudioClock.setTargetDepthSampleFrames`. */
  setTargetDepthSampleFrames(sampleFrames: number): void {
    this.clock.setTargetDepthSampleFrames(sampleFrames);
  }
}

/**
 * A node that plays what a lane writes into a ring: interleaved (`write`, `push`) or planar (`pushPlanar`), any number
 * of channels. It has one output for each 32 channels. Connect it, and see that the context runs (`resume()` from a
 * user's gesture). The lane renders `AudioClock.blocksDue` blocks in each period. How gaps are mended:
 * {@link PlaybackStream}.
 * @param ring its samples are played at the context's rate: render at that
 * @throws FrameDeadlineError OPTION_INVALID, SHARED_MEMORY_UNAVAILABLE
 */
export async function createPlaybackNode(
  context: BaseAudioContext,
  ring: StreamRing<'f32'>,
  options: PlaybackOptions = {},
): Promise<Playback> {
  checkRing('createPlaybackNode', ring);
  await loadWorklet(context, options.workletUrl);
  const { maxDepthSampleFrames = 0, takeOver = false } = options;
  const clock =
    options.clock ?? AudioClock.allocate(ring, options.targetDepthSampleFrames ?? defaultDepth(context, ring));
  if (options.clock !== undefined && options.targetDepthSampleFrames !== undefined) {
    clock.setTargetDepthSampleFrames(options.targetDepthSampleFrames);
  }
  if (!Number.isInteger(maxDepthSampleFrames) || maxDepthSampleFrames < 0) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `createPlaybackNode: maxDepthSampleFrames ${describeValue(maxDepthSampleFrames)} given, an integer from 0 expected`,
    );
  }
  // here, where a role that is taken gives a clear error; the processor then takes it over
  ring.consumer({ takeOver });
  const setup: PlaybackSetup = { ring: ring.buffer, clock: clock.buffer, maxDepthSampleFrames };
  const ports = Math.ceil(ring.itemSize / CHANNELS_PER_PORT);
  const node = new AudioWorkletNode(context, PLAYBACK_PROCESSOR, {
    numberOfInputs: 0,
    numberOfOutputs: ports,
    outputChannelCount: Array.from({ length: ports }, (_, port) =>
      Math.min(CHANNELS_PER_PORT, ring.itemSize - port * CHANNELS_PER_PORT),
    ),
    processorOptions: setup,
  });
  return new Playback(context, node, ring, clock);
}

function defaultDepth(context: BaseAudioContext, ring: StreamRing<'f32'>): number {
  const depth = targetDepthSampleFrames({ sampleRate: context.sampleRate, periodMs: 2.5, lateMs: 5 });
  return Math.min(depth, ring.capacityItems >>> 1);
}
