/**
 * Words shared by the threads of a run. One writer each; `stop` and `started` are main's.
 *
 * | word | what | writer |
 * |---|---|---|
 * | stop | 1: the sink plays no more | main |
 * | started | 1 once `startUs` holds | main |
 * | filled | 1 once the sink's buffer has been full | audio lane |
 * | producedBlocks | blocks handed to the sink | audio lane |
 * | historyEnd | mono sample frames written to the history, modulo 2^32 | audio lane |
 * | loggedChanges | changes in the log | audio lane |
 * | playedBlocks | periods of the sink so far, silent ones included | sink |
 * | xruns | periods in which no block was there | sink |
 * | sinkLateUs | the latest wake-up of the sink after its intended time | sink |
 * | releasedEvents | events that are due and sent on | input lane |
 * | sceneEvents | of these, how many the picture has taken | render lane |
 */
export const CONTROL = {
  stop: 0,
  started: 1,
  filled: 2,
  producedBlocks: 3,
  historyEnd: 4,
  loggedChanges: 5,
  playedBlocks: 32,
  xruns: 33,
  sinkLateUs: 34,
  releasedEvents: 64,
  sceneEvents: 96,
} as const;

const CONTROL_WORDS = 128;
const START_US_BYTE = CONTROL_WORDS * 4;

/** The control words and the run's start on the demo's clock. Made on any thread over the same buffer. */
export class StageControl {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  private readonly start: Float64Array;

  constructor(buffer?: SharedArrayBuffer) {
    this.buffer = buffer ?? new SharedArrayBuffer(START_US_BYTE + 8);
    this.words = new Int32Array(this.buffer, 0, CONTROL_WORDS);
    this.start = new Float64Array(this.buffer, START_US_BYTE, 1);
  }

  load(word: number): number {
    return Atomics.load(this.words, word);
  }
  store(word: number, value: number): void {
    Atomics.store(this.words, word, value);
  }

  /** When sound and events start, microseconds on the demo's clock; -1 before it is known. */
  startUs(): number {
    if (Atomics.load(this.words, CONTROL.started) === 0) return -1; // acquire
    return this.start[0]!;
  }

  /** Main only: announces the start, which should lie a little ahead. */
  startAt(startUs: number): void {
    this.start[0] = startUs;
    Atomics.store(this.words, CONTROL.started, 1); // release
    Atomics.notify(this.words, CONTROL.started);
  }

  /** Main only: ends the sink's playing. */
  stop(): void {
    Atomics.store(this.words, CONTROL.stop, 1); // release
    Atomics.notify(this.words, CONTROL.stop);
    Atomics.notify(this.words, CONTROL.started);
  }
}
