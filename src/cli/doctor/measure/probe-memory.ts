import type { Priority } from '../../../host/thread-control.js';

/** In the order of the probe's lanes. */
export const LEVELS: readonly Priority[] = ['normal', 'high', 'realtime'];
/** Without load, and with it. */
export const PHASES = 2;
export const MAX_SAMPLES = 2048;

/** The loops of one frame, 0 until they are known. Written by the host. */
const LOOPS_PER_FRAME = 0;
const HEADER_WORDS = 16;
/** Per level, each in a cache line pair of its own. */
const LEVEL_WORDS = 32;
const LAST_PERIOD = 0;
const LOOP_PICOSECONDS = 1;
const PHASE = 2;
const FROM = 3;
const TO = 4;
const SAMPLE_COUNTS = 8;
const SAMPLE_WORDS = 2;
const SAMPLES = HEADER_WORDS + LEVELS.length * LEVEL_WORDS;

/** One frame that was run. */
export interface FrameSample {
  /** From the release to the start of the work, microseconds. */
  readonly wakeupUs: number;
  /** From the release to the end of the work, microseconds. */
  readonly responseUs: number;
}

/**
 * What the host and the probing workers share. The host says which level works in which periods; each worker writes what
 * it saw to its level's part only.
 */
export class ProbeMemory {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;

  /** @param buffer that of another thread's; none: a new one */
  constructor(buffer?: SharedArrayBuffer) {
    const words = SAMPLES + LEVELS.length * PHASES * MAX_SAMPLES * SAMPLE_WORDS;
    this.buffer = buffer ?? new SharedArrayBuffer(words * 4);
    this.words = new Int32Array(this.buffer);
  }

  get loopsPerFrame(): number {
    return Atomics.load(this.words, LOOPS_PER_FRAME);
  }
  /** Host only. */
  setLoopsPerFrame(loops: number): void {
    Atomics.store(this.words, LOOPS_PER_FRAME, loops);
  }

  /** The last period that any level's worker began. */
  lastPeriod(): number {
    return Math.max(...LEVELS.map((_, level) => Atomics.load(this.words, at(level) + LAST_PERIOD)));
  }

  /** Picoseconds of one loop where it was fastest, 0 until somebody has tried. */
  loopPicoseconds(): number {
    const known = LEVELS.map((_, level) => Atomics.load(this.words, at(level) + LOOP_PICOSECONDS));
    return Math.min(...known.filter((picoseconds) => picoseconds > 0), Number.POSITIVE_INFINITY);
  }

  /** Host only: the level works in the periods from `from` up to, and not including, `to`. */
  setWindow(level: number, phase: number, from: number, to: number): void {
    const base = at(level);
    Atomics.store(this.words, base + TO, 0);
    Atomics.store(this.words, base + PHASE, phase);
    Atomics.store(this.words, base + FROM, from);
    Atomics.store(this.words, base + TO, to); // release
  }

  /** The level's worker only: notes the period, and tells in which phase to work in it, or -1. */
  beginPeriod(level: number, period: number): number {
    const base = at(level);
    Atomics.store(this.words, base + LAST_PERIOD, period);
    const to = Atomics.load(this.words, base + TO); // acquire
    if (period >= to) return -1;
    const from = Atomics.load(this.words, base + FROM);
    if (period < from) return -1;
    return Atomics.load(this.words, base + PHASE);
  }

  /** The level's worker only. */
  noteLoop(level: number, picoseconds: number): void {
    const index = at(level) + LOOP_PICOSECONDS;
    const before = Atomics.load(this.words, index);
    if (before === 0 || picoseconds < before) Atomics.store(this.words, index, Math.max(1, Math.round(picoseconds)));
  }

  /** The level's worker only. */
  addSample(level: number, phase: number, wakeupUs: number, responseUs: number): void {
    const counter = at(level) + SAMPLE_COUNTS + phase;
    const count = Atomics.load(this.words, counter);
    if (count >= MAX_SAMPLES) return;
    const sample = sampleAt(level, phase, count);
    this.words[sample] = wakeupUs;
    this.words[sample + 1] = responseUs;
    Atomics.store(this.words, counter, count + 1); // release
  }

  /** All samples of a level and phase so far. Allocates. */
  samples(level: number, phase: number): FrameSample[] {
    const count = Atomics.load(this.words, at(level) + SAMPLE_COUNTS + phase); // acquire
    return Array.from({ length: count }, (_, n) => {
      const sample = sampleAt(level, phase, n);
      return { wakeupUs: this.words[sample]!, responseUs: this.words[sample + 1]! };
    });
  }
}

function at(level: number): number {
  return HEADER_WORDS + level * LEVEL_WORDS;
}

function sampleAt(level: number, phase: number, count: number): number {
  return SAMPLES + ((level * PHASES + phase) * MAX_SAMPLES + count) * SAMPLE_WORDS;
}
