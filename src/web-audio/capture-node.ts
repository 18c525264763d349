import { AudioClock } from '../ring/audio-clock.js';
import type { StreamRing } from '../ring/stream-ring.js';
import { AudioStream } from './audio-stream.js';
import type { CaptureSetup } from './capture-stream.js';
import { checkRing } from './check-ring.js';
import { loadWorklet } from './load-worklet.js';
import { CHANNELS_PER_PORT } from './planes.js';
import { CAPTURE_PROCESSOR } from './worklet-names.js';

export interface CaptureOptions {
  /** The clock, where the lane had to have it before the node. Default: a new one. */
  clock?: AudioClock;
  /** How inputs of another number of channels are mixed to the ring's: as loudspeakers (default), or channel by channel. */
  channelInterpretation?: ChannelInterpretation;
  /** Where the package's `dist/web-audio/worklet.js` is served, for bundlers that do not see it. */
  workletUrl?: URL | string;
  /** The ring had another producer, which is gone for good. */
  takeOver?: boolean;
}

/** A node that records into a ring. */
export class Capture extends AudioStream {
  /**
   * Seconds from the graph's input to the lane that reads now: the ring's depth. What the microphone takes before that
   * no browser tells the graph; a track's `getSettings().latency` may.
   */
  latencySeconds(): number {
    return this.depthSampleFrames() / this.context.sampleRate;
  }

  /** Seconds of the context's time at which a sample frame was recorded: gaps are accounted for up to the last one. */
  contextTimeOf(streamSampleFrame: number): number {
    return this.clock.deviceSampleFrameOf(streamSampleFrame, this.nowSampleFrame()) / this.context.sampleRate;
  }
}

/**
 * A node that records what is connected to it, a microphone's MediaStreamAudioSourceNode or any other, into a ring
 * that a lane reads: interleaved (`read`) or planar (`pullPlanar`). It has one input for each 32 channels of the ring
 * and is connected to the context's destination by itself, where it is silent: a node that leads nowhere is not run.
 * How gaps are mended: {@link CaptureStream}.
 * @throws FrameDeadlineError OPTION_INVALID, SHARED_MEMORY_UNAVAILABLE
 */
export async function createCaptureNode(
  context: BaseAudioContext,
  ring: StreamRing<'f32'>,
  options: CaptureOptions = {},
): Promise<Capture> {
  checkRing('createCaptureNode', ring);
  const { channelInterpretation = 'speakers', takeOver = false } = options;
  const clock = options.clock ?? AudioClock.allocate(ring, 1);
  await loadWorklet(context, options.workletUrl);
  // here, where a role that is taken gives a clear error; the processor then takes it over
  ring.producer({ takeOver });
  const setup: CaptureSetup = { ring: ring.buffer, clock: clock.buffer };
  const node = new AudioWorkletNode(context, CAPTURE_PROCESSOR, {
    numberOfInputs: Math.ceil(ring.itemSize / CHANNELS_PER_PORT),
    numberOfOutputs: 1,
    outputChannelCount: [1],
    channelCount: Math.min(CHANNELS_PER_PORT, ring.itemSize),
    channelCountMode: 'explicit',
    channelInterpretation,
    processorOptions: setup,
  });
  node.connect(context.destination);
  return new Capture(context, node, ring, clock);
}
