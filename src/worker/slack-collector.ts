import type { Clock } from '../base/time.js';
import { FRAME_OPEN, FRAME_SLOT_COUNT } from '../memory/layout.js';
import type { WorkerCore } from './worker-core.js';

/** Of the young generation alone: short. */
export const COLLECT_YOUNG = 0;
/** Of all that is reachable no more. */
export const COLLECT_FULL = 1;

/** The runtime's garbage collector as its thread can call it. */
export interface Collector {
  /** Such as `v8 --expose-gc`. */
  readonly mechanism: string;
  /** Heap of this thread in use, garbage included. About a microsecond. */
  usedBytes(): number;
  /** Collects now: COLLECT_*. Blocks. */
  collect(kind: number): void;
}

/** How long collections take, from having made some. */
export interface MeasuredCollections {
  readonly collector: Collector;
  readonly youngUs: number;
  readonly fullUs: number;
  readonly keptBytes: number;
}

/** Collects twice, to know how long it takes: some milliseconds. Before the thread serves. */
export function measureCollections(collector: Collector, clock: Clock): MeasuredCollections {
  const fullUs = durationUs(collector, clock, COLLECT_FULL);
  const youngUs = durationUs(collector, clock, COLLECT_YOUNG);
  return { collector, youngUs, fullUs, keptBytes: collector.usedBytes() };
}

function durationUs(collector: Collector, clock: Clock, kind: number): number {
  const startUs = clock.nowPreciseUs();
  collector.collect(kind);
  return clock.nowPreciseUs() - startUs;
}

/** Garbage below this is not worth the fixed cost of a collection (some 60 µs). */
const YOUNG_BYTES = 256 * 1024;
/** What has to have survived since the last full collection, and its share of what survived that one. */
const FULL_BYTES = 8 * 1024 * 1024;
const FULL_SHARE = 0.5;
/** Idle times that are remembered, and how many make an estimate. */
const IDLES = 8;
const IDLES_NEEDED = 4;
/** Collections of a kind that are remembered: the longest of so many stands for their p99. */
const DURATIONS = 64;
/** After so many idle times in a row into which none fitted, the longest is taken for an exception, if so many are known. */
const PATIENCE = 32;
const DURATIONS_NEEDED = 16;
/** An estimate has to fit so many times, and with this much to spare for a wake-up. */
const FIT = 1.25;
const SPARE_US = 200;
/** Of the shortest relative deadline: a job that comes all the same in the middle of a collection still has the rest. */
const DEADLINE_SHARE = 0.5;
/** What takes at most this share may be begun although one of the last idle times was too short for it. */
const RARELY_MET_SHARE = 0.25;
const LONGEST_IDLE_US = 60_000_000;

/**
 * Collects garbage in slack time: before a park, when enough was allocated and what a collection takes (the longest of the
 * last ones of its kind) fits well before the next job. When that comes is known of periodic lanes; of other lanes it is the
 * shortest of the last idle times that began as this one does, with every frame submitted, and as a second line the
 * collection takes at most half of the shortest relative deadline. Where it takes a quarter at most, one idle time that was
 * too short does not count: a frame that came late once would else put off the collections of eight, which the runtime then
 * makes in the middle of jobs. That thread only.
 */
export class SlackCollector {
  private readonly core: WorkerCore;
  private readonly clock: Clock;
  private readonly collector: Collector;
  /** Shortest relative deadline of the lanes that others submit to; Infinity if all are periodic. */
  private readonly deadlineUs: number;
  private readonly hasPooled: boolean;
  private readonly idlesUs: Float64Array;
  private idles: number;
  /** Moment of the first look of this idle time, or -1 while it is not measured. */
  private idleFromUs: number;
  /** It has looked at the heap in this idle time. */
  private looked: boolean;
  private readonly durationsUs: readonly Float64Array[];
  private readonly collections: Float64Array;
  /** Idle times in a row into which no collection of the young generation fitted. */
  private unfit: number;
  /** In use after the last collection, of any kind and of all. */
  private keptBytes: number;
  private keptFullBytes: number;

  constructor(core: WorkerCore, clock: Clock, measured: MeasuredCollections) {
    this.core = core;
    this.clock = clock;
    this.collector = measured.collector;
    let deadlineUs = Number.POSITIVE_INFINITY;
    let hasPooled = false;
    for (const lane of core.lanes) {
      if (lane.periodic !== null) continue;
      hasPooled = true;
      deadlineUs = Math.min(deadlineUs, core.shortestDeadlineUs(lane.index));
    }
    this.deadlineUs = deadlineUs;
    this.hasPooled = hasPooled;
    this.idlesUs = new Float64Array(IDLES);
    this.idles = 0;
    this.idleFromUs = -1;
    this.looked = false;
    this.durationsUs = [new Float64Array(DURATIONS), new Float64Array(DURATIONS)];
    this.collections = Float64Array.of(1, 1);
    this.unfit = 0;
    this.durationsUs[COLLECT_YOUNG]![0] = measured.youngUs;
    this.durationsUs[COLLECT_FULL]![0] = measured.fullUs;
    this.keptBytes = measured.keptBytes;
    this.keptFullBytes = measured.keptBytes;
  }

  /** Told before each park that nothing is ready. True if it collected: look again. */
  beforePark(): boolean {
    if (this.looked) return false;
    const nowUs = this.clock.nowPreciseUs();
    if (this.hasPooled) {
      if (!this.isBetweenFrames()) return false;
      if (this.idleFromUs < 0) this.idleFromUs = nowUs;
    }
    this.looked = true;
    const slackUs = this.slackUs(nowUs, 0);
    if (!this.youngFits(nowUs, slackUs)) {
      if (++this.unfit >= PATIENCE) this.forgetLongest();
      return false;
    }
    this.unfit = 0;
    const usedBytes = this.collector.usedBytes();
    // the runtime has collected by itself
    if (usedBytes < this.keptBytes) this.keptBytes = usedBytes;
    if (usedBytes - this.keptBytes < YOUNG_BYTES) return false;
    const survivedBytes = this.keptBytes - this.keptFullBytes;
    const isFull =
      survivedBytes >= Math.max(FULL_BYTES, FULL_SHARE * this.keptFullBytes) &&
      // what it takes grows with what there is
      slackUs > this.needUs(COLLECT_FULL) * Math.max(1, usedBytes / Math.max(this.keptFullBytes, 1));
    const kind = isFull ? COLLECT_FULL : COLLECT_YOUNG;
    const startUs = this.clock.nowUs();
    this.collect(kind);
    this.core.collected(kind === COLLECT_FULL, startUs, this.clock.nowUs());
    return true;
  }

  /** Told when a job was claimed: an idle time is over. */
  jobCame(): void {
    if (!this.looked && this.idleFromUs < 0) return;
    this.looked = false;
    if (this.idleFromUs < 0) return;
    const idleUs = this.clock.nowPreciseUs() - this.idleFromUs;
    this.idlesUs[this.idles % IDLES] = Math.min(idleUs, LONGEST_IDLE_US);
    this.idles++;
    this.idleFromUs = -1;
  }

  private youngFits(nowUs: number, slackUs: number): boolean {
    const needUs = this.needUs(COLLECT_YOUNG);
    if (slackUs > needUs) return true;
    return this.hasPooled && needUs <= this.deadlineUs * RARELY_MET_SHARE && this.slackUs(nowUs, 1) > needUs;
  }

  /** For how long nothing is expected. `without`: 1 to leave out the shortest of the last idle times, or 0. */
  private slackUs(nowUs: number, without: number): number {
    const { nextReleaseUs } = this.core;
    const untilReleaseUs = nextReleaseUs - nowUs;
    if (!this.hasPooled) return untilReleaseUs;
    if (this.idles < IDLES_NEEDED) return 0;
    let leastUs = LONGEST_IDLE_US;
    let secondUs = LONGEST_IDLE_US;
    for (let i = 0; i < Math.min(this.idles, IDLES); i++) {
      const idleUs = this.idlesUs[i]!;
      if (idleUs < leastUs) {
        secondUs = leastUs;
        leastUs = idleUs;
      } else if (idleUs < secondUs) secondUs = idleUs;
    }
    return Math.min(untilReleaseUs, without === 0 ? leastUs : secondUs, this.deadlineUs * DEADLINE_SHARE);
  }

  private needUs(kind: number): number {
    const durationsUs = this.durationsUs[kind]!;
    let longestUs = 0;
    for (let i = 0; i < DURATIONS; i++) longestUs = Math.max(longestUs, durationsUs[i]!);
    return longestUs * FIT + SPARE_US;
  }

  /** One collection that something held up must not be the last. */
  private forgetLongest(): void {
    this.unfit = 0;
    if (this.collections[COLLECT_YOUNG]! < DURATIONS_NEEDED) return;
    const durationsUs = this.durationsUs[COLLECT_YOUNG]!;
    let longest = 0;
    for (let i = 1; i < DURATIONS; i++) if (durationsUs[i]! > durationsUs[longest]!) longest = i;
    durationsUs[longest] = 0;
  }

  private collect(kind: number): void {
    const count = this.collections[kind]!;
    this.durationsUs[kind]![count % DURATIONS] = durationUs(this.collector, this.clock, kind);
    this.collections[kind] = count + 1;
    this.keptBytes = this.collector.usedBytes();
    if (kind === COLLECT_FULL) this.keptFullBytes = this.keptBytes;
  }

  /** Whether the host submits to no frame and none has a stage that is to open yet. */
  private isBetweenFrames(): boolean {
    const { control, layout, frames } = this.core.memory;
    for (let frame = 0; frame < FRAME_SLOT_COUNT; frame++) {
      // plain: only an estimate rests on it
      if (control[layout.frame(frame) + FRAME_OPEN] !== 0) return false;
      if (((frames.stagesClosed(frame) - frames.stagesComplete(frame)) | 0) > 1) return false;
    }
    return true;
  }
}
