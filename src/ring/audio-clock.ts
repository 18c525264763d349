import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { LINE_WORDS } from '../memory/layout.js';
import { allocateBuffer } from '../memory/region.js';
import type { StreamRing } from './stream-ring.js';
import type { SampleProducer } from './stream-ring-samples.js';

/**
 * What a stream of sound and the device that plays or records it tell each other besides the samples in their
 * {@link StreamRing}: how deep the ring shall be, and which sample frame of the device a sample frame of the stream is.
 *
 * The device's clock is the only one that counts. The lane is released by its worker's clock, but what it then does is
 * decided by how much the device has taken from the ring: it renders {@link AudioClock.blocksDue} blocks, often none.
 * So the two clocks may drift apart as they like, and no sample is ever dropped or repeated for it.
 *
 * Shared words (32 bits), each with its single writer:
 *
 * | line | word | what | writer |
 * |---|---|---|---|
 * | 0 | 0 magic | `FDAC` | allocate |
 * | 0 | 1 version | of this table | allocate |
 * | 0 | 2 most | largest target depth: half the ring's capacity | allocate |
 * | 0 | 3 target depth | sample frames, 1 to most | the page |
 * | 0 | 4 closing | 1 once the device shall stop | the page |
 * | 1 | 32 offset | device sample frame less stream sample frame, modulo 2^32; changes at gaps only | device |
 * | 1 | 33 state | see `AUDIO_STATES` | device |
 * | 1 | 34 skipped | sample frames thrown away to come back to the target depth, modulo 2^32 | device |
 */
const MAGIC = 0x43414446; // "FDAC", least significant byte first
const VERSION = 1;
const WORD_MAGIC = 0;
const WORD_VERSION = 1;
const WORD_MOST = 2;
const WORD_TARGET = 3;
const WORD_CLOSING = 4;
const WORD_OFFSET = LINE_WORDS;
const WORD_STATE = LINE_WORDS + 1;
const WORD_SKIPPED = LINE_WORDS + 2;
const BYTES = 2 * LINE_WORDS * 4;

/**
 * `waiting`: silent until the ring is as deep as it shall be, for the first time; `flowing`; `starved`: the same after
 * an underrun, or dropping after an overrun; `ended`: the stream is over, or was closed.
 */
export const AUDIO_STATES = ['waiting', 'flowing', 'starved', 'ended'] as const;
export type AudioState = (typeof AUDIO_STATES)[number];

/** The page's and the lane's side. Nothing blocks; only `allocate` and `attach` allocate. */
export class AudioClock {
  /** What to give to the lane (option `shared`), which calls {@link AudioClock.attach}. */
  readonly buffer: SharedArrayBuffer;
  /** Largest target depth: half the ring's capacity, so that a whole block always fits above it. */
  readonly mostSampleFrames: number;
  private readonly words: Int32Array;

  /**
   * Allocates the clock of a ring of sound.
   * @param targetDepthSampleFrames what the ring shall hold, 1 to half its capacity: see {@link targetDepthSampleFrames}
   * @throws FrameDeadlineError OPTION_INVALID, SHARED_MEMORY_UNAVAILABLE
   */
  static allocate(ring: StreamRing<'f32'>, targetDepthSampleFrames: number): AudioClock {
    const words = new Int32Array(allocateBuffer(BYTES, Object.prototype.toString.call(ring.buffer) !== PLAIN));
    words[WORD_VERSION] = VERSION;
    words[WORD_MOST] = ring.capacityItems >>> 1;
    words[WORD_MAGIC] = MAGIC;
    const clock = new AudioClock(words);
    clock.setTargetDepthSampleFrames(targetDepthSampleFrames);
    return clock;
  }

  /** @throws FrameDeadlineError OPTION_INVALID if `buffer` holds no clock, or one of another version */
  static attach(buffer: SharedArrayBuffer): AudioClock {
    return new AudioClock(clockWords(buffer));
  }

  private constructor(words: Int32Array) {
    this.words = words;
    this.buffer = words.buffer as SharedArrayBuffer;
    this.mostSampleFrames = words[WORD_MOST]!;
  }

  targetDepthSampleFrames(): number {
    return Atomics.load(this.words, WORD_TARGET);
  }

  /**
   * Makes the stream deeper (safer) or less deep (sooner heard) while it flows, without a gap: the lane renders a few
   * blocks more, or none for a while. One thread, the page.
   * @throws FrameDeadlineError OPTION_INVALID unless an integer from 1 to `mostSampleFrames`
   */
  setTargetDepthSampleFrames(sampleFrames: number): void {
    if (!Number.isInteger(sampleFrames) || sampleFrames < 1 || sampleFrames > this.mostSampleFrames) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `audio clock: targetDepthSampleFrames ${describeValue(sampleFrames)} given, an integer from 1 to ${this.mostSampleFrames} (half the ring's capacity) expected`,
      );
    }
    Atomics.store(this.words, WORD_TARGET, sampleFrames);
  }

  /**
   * Blocks that the lane shall render now, so that the ring holds at least the target depth: 0 if it still does. For
   * the ring's producer; at most as many as fit.
   * @throws FrameDeadlineError OPTION_INVALID if a block is larger than half the ring
   */
  blocksDue(producer: SampleProducer, blockSampleFrames: number): number {
    if (!(blockSampleFrames >= 1 && blockSampleFrames <= this.mostSampleFrames)) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `audio clock: blocks of ${describeValue(blockSampleFrames)} sample frames given, 1 to ${this.mostSampleFrames} (half the ring's capacity) expected`,
      );
    }
    const writable = producer.writableSampleFrames();
    const missing = this.targetDepthSampleFrames() - (producer.capacitySampleFrames - writable);
    if (missing <= 0) return 0;
    return Math.min(Math.ceil(missing / blockSampleFrames), Math.floor(writable / blockSampleFrames));
  }

  state(): AudioState {
    return AUDIO_STATES[Atomics.load(this.words, WORD_STATE)] ?? 'ended';
  }

  /** Sample frames that playback threw away to come back to the target depth; modulo 2^32. */
  skippedSampleFrames(): number {
    return Atomics.load(this.words, WORD_SKIPPED) >>> 0;
  }

  /**
   * On which sample frame of the device (`currentFrame` of an AudioContext) a sample frame of the stream is played, or
   * was recorded, as far as is known now: the next gap moves what comes after it. Meaningless before the state was
   * once `flowing`.
   * @param streamSampleFrame counted from the ring's start; modulo 2^32 will do
   * @param nearSampleFrame a sample frame of the device within 2^31 of the answer: now
   */
  deviceSampleFrameOf(streamSampleFrame: number, nearSampleFrame: number): number {
    const offset = Atomics.load(this.words, WORD_OFFSET); // acquire
    const near = Math.floor(nearSampleFrame);
    return near + ((((streamSampleFrame + offset) | 0) - (near | 0)) | 0);
  }

  /** The reverse of {@link deviceSampleFrameOf}. */
  streamSampleFrameAt(deviceSampleFrame: number, nearStreamSampleFrame: number): number {
    const offset = Atomics.load(this.words, WORD_OFFSET); // acquire
    const near = Math.floor(nearStreamSampleFrame);
    return near + ((((deviceSampleFrame - offset) | 0) - (near | 0)) | 0);
  }

  /** Asks the device side to stop at its next block. For good. */
  requestClose(): void {
    Atomics.store(this.words, WORD_CLOSING, 1);
  }
}

/** The device's side: one thread, an AudioWorklet. Nothing blocks or allocates. */
export class AudioClockWriter {
  private readonly words: Int32Array;
  private offset: number;

  constructor(buffer: SharedArrayBuffer) {
    this.words = clockWords(buffer);
    this.offset = this.words[WORD_OFFSET]!;
  }

  targetDepthSampleFrames(): number {
    return Atomics.load(this.words, WORD_TARGET);
  }

  closing(): boolean {
    return Atomics.load(this.words, WORD_CLOSING) === 1;
  }

  /** Says that stream sample frame `stream` is device sample frame `device`. */
  setOffset(device: number, stream: number): void {
    const offset = (device - stream) | 0;
    if (offset === this.offset) return;
    this.offset = offset;
    Atomics.store(this.words, WORD_OFFSET, offset); // release
  }

  setState(state: AudioState): void {
    Atomics.store(this.words, WORD_STATE, AUDIO_STATES.indexOf(state)); // release
  }

  countSkipped(sampleFrames: number): void {
    const skipped = Atomics.load(this.words, WORD_SKIPPED);
    Atomics.store(this.words, WORD_SKIPPED, (skipped + sampleFrames) | 0);
  }
}

export interface DepthOptions {
  /** hertz */
  sampleRate: number;
  /** Period of the lane that renders, milliseconds. */
  periodMs: number;
  /**
   * How late the lane may be done after its intended release, milliseconds: wake-up, waiting behind others, rendering.
   * Take the lane's response time at p99.99 or its maximum. Default: one period.
   */
  lateMs?: number;
  /** Sample frames that the device takes at once: 128 for an AudioWorklet; more where the system's buffer is larger. Default 128. */
  burstSampleFrames?: number;
}

/**
 * The least depth that cannot run dry while the lane is done at most `lateMs` after each intended release: what the
 * device takes from one release to the end of the next, and one burst. The clocks may differ by 1000 ppm.
 * @throws FrameDeadlineError OPTION_INVALID
 */
export function targetDepthSampleFrames(options: DepthOptions): number {
  const { sampleRate, periodMs, lateMs = periodMs, burstSampleFrames = 128 } = options;
  const wrong = Object.entries({ sampleRate, periodMs, burstSampleFrames }).find(([, value]) => !(value > 0));
  if (wrong !== undefined || !(lateMs >= 0)) {
    const [name, value] = wrong ?? ['lateMs', lateMs];
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `audio depth: ${name} ${describeValue(value)} given, a number above 0 expected (lateMs: from 0)`,
    );
  }
  return Math.ceil((sampleRate * (periodMs + lateMs) * 1.001) / 1000) + burstSampleFrames;
}

const PLAIN = '[object ArrayBuffer]';

function clockWords(buffer: SharedArrayBuffer): Int32Array {
  const tag = Object.prototype.toString.call(buffer);
  if (tag === '[object SharedArrayBuffer]' || tag === PLAIN) {
    const words = new Int32Array(buffer, 0, Math.min(buffer.byteLength, BYTES) >> 2);
    if (words.length * 4 === BYTES && words[WORD_MAGIC] === MAGIC && words[WORD_VERSION] === VERSION) return words;
  }
  throw new FrameDeadlineError(
    'OPTION_INVALID',
    `audio clock: ${describeValue(buffer)} given, the buffer of an AudioClock of version ${VERSION} expected`,
  );
}
