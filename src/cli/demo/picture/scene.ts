import { describeValue, FrameDeadlineError } from '../../../base/errors.js';

/** Points of the pointer's trail, and key pulses, that a scene remembers. */
export const TRAIL_LENGTH = 48;
export const PULSE_COUNT = 8;
export const MAX_BARS = 512;
export const MAX_WAVE_POINTS = 4096;

const MAGIC = 0x53434e31; // "SCN1"
const HEADER_WORDS = 16;
const TRAIL_WORDS = 3;
const PULSE_WORDS = 3;

/** Header words. Integers unless marked f32. */
const WORD = {
  magic: 0,
  barCount: 1,
  wavePoints: 2,
  frameNumber: 3,
  buttons: 4,
  pointerX: 5, // f32
  pointerY: 6, // f32
  level: 7, // f32
  timeS: 8, // f32
  pulseNext: 9,
  drawing: 10,
} as const;

export interface SceneSize {
  /** 1 to `MAX_BARS` */
  readonly barCount: number;
  /** 2 to `MAX_WAVE_POINTS` */
  readonly wavePoints: number;
}

/** Bytes that a scene takes: a multiple of 64. */
export function sceneBytes(size: SceneSize): number {
  const words =
    HEADER_WORDS + size.barCount * 2 + size.wavePoints + TRAIL_LENGTH * TRAIL_WORDS + PULSE_COUNT * PULSE_WORDS;
  return Math.ceil(words / 16) * 64;
}

/**
 * What a picture shows, as typed views of one buffer, shared or not: written by one thread before it submits a frame's
 * jobs, read by the jobs that draw tiles. Nothing is atomic: the job that carries the order to draw publishes it, and
 * the writer leaves a scene alone until the frame's jobs have ended (several frames in flight: a scene for each).
 * Making a view allocates; using it does not.
 */
export class SceneView {
  readonly barCount: number;
  readonly wavePoints: number;
  /** Spectrum: bar heights and peak marks, 0 to 1. */
  readonly bars: Float32Array;
  readonly peaks: Float32Array;
  /** Waveform from left to right, -1 to 1. */
  readonly wave: Float32Array;
  /** Pointer trail, newest first, three a point: x and y (0 to 1), strength (0 hidden to 1). */
  readonly trail: Float32Array;
  /** Key pulses in no order, three each: x (0 to 1), age in seconds, strength (0 none to 1). */
  readonly pulses: Float32Array;
  private readonly words: Int32Array;
  private readonly floats: Float32Array;

  /**
   * Attaches to `sceneBytes(size)` bytes at `byteOffset`. With `size` it formats them (an empty scene); without, it reads
   * the size that was written there.
   *
   * @throws FrameDeadlineError `OPTION_INVALID` where the size is out of range, the buffer too small or no scene.
   */
  constructor(buffer: ArrayBufferLike, byteOffset = 0, size?: SceneSize) {
    if (!(byteOffset >= 0 && byteOffset % 4 === 0 && byteOffset + HEADER_WORDS * 4 <= buffer.byteLength)) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `scene at byte ${describeValue(byteOffset)} of ${buffer.byteLength}; expected a multiple of 4 with room for it`,
      );
    }
    const header = new Int32Array(buffer, byteOffset, HEADER_WORDS);
    if (size === undefined && header[WORD.magic] !== MAGIC) {
      throw new FrameDeadlineError('OPTION_INVALID', `no scene at byte ${byteOffset}; format it by giving its size`);
    }
    const barCount = size?.barCount ?? header[WORD.barCount]!;
    const wavePoints = size?.wavePoints ?? header[WORD.wavePoints]!;
    if (
      !(Number.isInteger(barCount) && barCount >= 1 && barCount <= MAX_BARS) ||
      !(Number.isInteger(wavePoints) && wavePoints >= 2 && wavePoints <= MAX_WAVE_POINTS)
    ) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `scene of ${describeValue(barCount)} bars and ${describeValue(wavePoints)} wave points; expected 1 to ` +
          `${MAX_BARS} and 2 to ${MAX_WAVE_POINTS}`,
      );
    }
    const bytes = sceneBytes({ barCount, wavePoints });
    if (byteOffset + bytes > buffer.byteLength) {
      throw new FrameDeadlineError(
        'OPTION_INVALID',
        `scene of ${bytes} bytes at byte ${byteOffset} of ${buffer.byteLength}; expected room for it (sceneBytes)`,
      );
    }
    const floats = new Float32Array(buffer, byteOffset, bytes / 4);
    let word = HEADER_WORDS;
    const take = (count: number): Float32Array => {
      word += count;
      return floats.subarray(word - count, word);
    };
    this.barCount = barCount;
    this.wavePoints = wavePoints;
    this.words = header;
    this.floats = floats;
    this.bars = take(barCount);
    this.peaks = take(barCount);
    this.wave = take(wavePoints);
    this.trail = take(TRAIL_LENGTH * TRAIL_WORDS);
    this.pulses = take(PULSE_COUNT * PULSE_WORDS);
    if (size !== undefined) {
      floats.fill(0);
      header[WORD.magic] = MAGIC;
      header[WORD.barCount] = barCount;
      header[WORD.wavePoints] = wavePoints;
      floats[WORD.pointerX] = 0.5;
      floats[WORD.pointerY] = 0.5;
    }
  }

  get frameNumber(): number {
    return this.words[WORD.frameNumber]!;
  }
  set frameNumber(value: number) {
    this.words[WORD.frameNumber] = value;
  }
  /** Mouse buttons held, a bit mask. */
  get buttons(): number {
    return this.words[WORD.buttons]!;
  }
  set buttons(value: number) {
    this.words[WORD.buttons] = value;
  }
  /** 0 to 1, from the left. */
  get pointerX(): number {
    return this.floats[WORD.pointerX]!;
  }
  set pointerX(value: number) {
    this.floats[WORD.pointerX] = value;
  }
  /** 0 to 1, from the top. */
  get pointerY(): number {
    return this.floats[WORD.pointerY]!;
  }
  set pointerY(value: number) {
    this.floats[WORD.pointerY] = value;
  }
  /** Loudness, 0 to 1: lights the background. */
  get level(): number {
    return this.floats[WORD.level]!;
  }
  set level(value: number) {
    this.floats[WORD.level] = value;
  }
  /** Seconds since the start: moves the colours slowly. */
  get timeS(): number {
    return this.floats[WORD.timeS]!;
  }
  set timeS(value: number) {
    this.floats[WORD.timeS] = value;
  }
  /** Which pulse the next key takes. */
  get pulseNext(): number {
    return this.words[WORD.pulseNext]!;
  }
  set pulseNext(value: number) {
    this.words[WORD.pulseNext] = value;
  }

  /** Whether a button was held at any time since the last frame. */
  get drawing(): boolean {
    return this.words[WORD.drawing]! !== 0;
  }
  set drawing(value: boolean) {
    this.words[WORD.drawing] = value ? 1 : 0;
  }

  /** Copies everything from a scene of the same size. Allocates nothing. */
  copyFrom(other: SceneView): void {
    this.floats.set(other.floats);
  }
}
