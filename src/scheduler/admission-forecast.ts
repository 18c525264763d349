import { FRAME_SLOT_COUNT, LANE_SERVERS, MAX_WORKERS } from '../memory/layout.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { ExecutionEstimates } from './admission-estimates.js';
import type { JobLedger } from './admission-ledger.js';

/** So many standard deviations of what is ahead may come on top: 99 of 100 jobs are over before that. */
const CONFIDENCE = 2.5;
/** From a ring until a worker begins, and what lies between jobs: at most so long, and at most this share of the time left. */
const MARGIN_US = 100;
const MARGIN_SHARE = 0.02;

/** A job that is not there yet. */
export interface Candidate {
  lane: number;
  task: number;
  deadlineUs: number;
  /** Frame slot + 1, or 0. */
  frame: number;
  stage: number;
}

/**
 * Foresees when the jobs of a ledger will end: each goes, earliest deadline first, to the worker of its lane that is free
 * first. With shorter executions than expected every start is earlier or the same, so the forecast is on the safe side of
 * its estimates. Host thread only; allocates nothing after its construction.
 */
export class Forecast {
  private readonly memory: AttachedMemory;
  private readonly ledger: JobLedger;
  private readonly estimates: ExecutionEstimates;
  /** By task: its lane, and whether it must not be made late. */
  private readonly laneOf: readonly number[];
  private readonly isGuarded: readonly boolean[];
  /** Share of each worker's time that periodic lanes leave. */
  private readonly freeShare: Float64Array;
  /** Entries that are taken out of the reckoning. */
  readonly without: Uint8Array;
  private readonly workerCount: number;
  // by worker, from now: expected time until it is free, and the variance of that
  private readonly freeInUs: Float64Array;
  private readonly variance: Float64Array;
  private readonly savedFreeInUs: Float64Array;
  private readonly savedVariance: Float64Array;
  private readonly laterFreeInUs: Float64Array;
  private readonly laterVariance: Float64Array;
  // by frame slot + 1: the stage that was come to, when it may begin, and when all before it is over
  private readonly stageOf: Int32Array;
  private readonly beginsInUs: Float64Array;
  private readonly overInUs: Float64Array;
  private nowUs: number;
  /** Set by `place`: when the job is over at the latest, from now. */
  private latestUs: number;

  constructor(
    memory: AttachedMemory,
    ledger: JobLedger,
    estimates: ExecutionEstimates,
    laneOf: readonly number[],
    isGuarded: readonly boolean[],
    freeShare: Float64Array,
  ) {
    this.memory = memory;
    this.ledger = ledger;
    this.estimates = estimates;
    this.laneOf = laneOf;
    this.isGuarded = isGuarded;
    this.freeShare = freeShare;
    this.without = new Uint8Array(ledger.order.length);
    this.workerCount = memory.workerCount;
    this.freeInUs = new Float64Array(MAX_WORKERS);
    this.variance = new Float64Array(MAX_WORKERS);
    this.savedFreeInUs = new Float64Array(MAX_WORKERS);
    this.savedVariance = new Float64Array(MAX_WORKERS);
    this.laterFreeInUs = new Float64Array(MAX_WORKERS);
    this.laterVariance = new Float64Array(MAX_WORKERS);
    this.stageOf = new Int32Array(FRAME_SLOT_COUNT + 1);
    this.beginsInUs = new Float64Array(FRAME_SLOT_COUNT + 1);
    this.overInUs = new Float64Array(FRAME_SLOT_COUNT + 1);
    this.nowUs = 0;
    this.latestUs = 0;
  }

  /**
   * Whether the candidate would be in time and no guarded job would miss its deadline because of it. As of the ledger's
   * last refresh.
   */
  fits(candidate: Candidate, nowUs: number): boolean {
    this.begin(nowUs);
    const { ledger } = this;
    const at = ledger.positionOf(candidate.deadlineUs);
    for (let i = 0; i < at; i++) this.placeEntry(ledger.order[i]!);
    if (at === ledger.count) return this.placeCandidate(candidate);
    // the jobs behind it: those that it makes late count, not those that are late anyway
    this.savedFreeInUs.set(this.freeInUs);
    this.savedVariance.set(this.variance);
    if (!this.placeCandidate(candidate)) return false;
    for (let i = at; i < ledger.count; i++) {
      const entry = ledger.order[i]!;
      if (this.placeEntry(entry) && this.isGuarded[ledger.task[entry]!] && !this.isLateAnyway(at, i)) return false;
    }
    return true;
  }

  /** Whether it would be in time if nothing else were there. */
  fitsAlone(candidate: Candidate, nowUs: number): boolean {
    this.nowUs = nowUs;
    this.freeInUs.fill(0);
    this.variance.fill(0);
    this.clearStages();
    return this.placeCandidate(candidate);
  }

  private isLateAnyway(from: number, until: number): boolean {
    const { ledger, freeInUs, variance, savedFreeInUs, savedVariance } = this;
    this.laterFreeInUs.set(freeInUs);
    this.laterVariance.set(variance);
    freeInUs.set(savedFreeInUs);
    variance.set(savedVariance);
    let isLate = false;
    for (let i = from; i <= until; i++) isLate = this.placeEntry(ledger.order[i]!);
    freeInUs.set(this.laterFreeInUs);
    variance.set(this.laterVariance);
    return isLate;
  }

  private clearStages(): void {
    this.stageOf.fill(0);
    this.beginsInUs.fill(0);
    this.overInUs.fill(0);
  }

  /** What runs now. */
  private begin(nowUs: number): void {
    const { ledger, freeInUs, variance, estimates } = this;
    this.nowUs = nowUs;
    freeInUs.fill(0);
    variance.fill(0);
    this.clearStages();
    for (let i = 0; i < ledger.count; i++) {
      const entry = ledger.order[i]!;
      const worker = ledger.runningOn[entry]!;
      if (worker < 0 || worker >= this.workerCount) continue;
      const task = ledger.task[entry]!;
      const mean = estimates.meanOf(task);
      const spread = estimates.varianceOf(task);
      const ranUs = Math.max((nowUs - ledger.startUs[entry]!) | 0, 0);
      // what has taken longer than it should goes on, for all one knows, half as long again
      const isOver = ranUs > mean + CONFIDENCE * Math.sqrt(spread);
      freeInUs[worker] = isOver ? ranUs / 2 : Math.max(mean - ranUs, 0) / this.freeShare[worker]!;
      variance[worker] = isOver ? 0 : spread;
      const frame = ledger.frame[entry]!;
      if (frame === 0) continue;
      this.enterStage(frame, ledger.stage[entry]!);
      this.overInUs[frame] = Math.max(this.overInUs[frame]!, freeInUs[worker]!);
    }
  }

  /** Places one that has not begun; returns whether it would be late. */
  private placeEntry(entry: number): boolean {
    const { ledger } = this;
    if (this.without[entry] !== 0 || ledger.runningOn[entry]! >= 0) return false;
    const task = ledger.task[entry]!;
    this.place(this.laneOf[task]!, task, ledger.frame[entry]!, ledger.stage[entry]!);
    return this.latestUs > ((ledger.deadlineUs[entry]! - this.nowUs) | 0);
  }

  private placeCandidate({ lane, task, frame, stage, deadlineUs }: Candidate): boolean {
    this.place(lane, task, frame, stage);
    const leftUs = (deadlineUs - this.nowUs) | 0;
    return this.latestUs + Math.min(MARGIN_US, leftUs * MARGIN_SHARE) <= leftUs;
  }

  private place(lane: number, task: number, frame: number, stage: number): void {
    const { memory, freeInUs, variance } = this;
    const servers = memory.control[memory.layout.lane(lane) + LANE_SERVERS]!;
    let worker = -1;
    for (let i = 0; i < this.workerCount; i++) {
      if ((servers & (1 << i)) === 0) continue;
      if (worker < 0 || freeInUs[i]! < freeInUs[worker]!) worker = i;
    }
    if (worker < 0) {
      this.latestUs = Number.POSITIVE_INFINITY;
      return;
    }
    let startUs = freeInUs[worker]!;
    if (frame !== 0) {
      this.enterStage(frame, stage);
      startUs = Math.max(startUs, this.beginsInUs[frame]!);
    }
    const overUs = startUs + this.estimates.meanOf(task) / this.freeShare[worker]!;
    const spread = variance[worker]! + this.estimates.varianceOf(task);
    freeInUs[worker] = overUs;
    variance[worker] = spread;
    if (frame !== 0) this.overInUs[frame] = Math.max(this.overInUs[frame]!, overUs);
    this.latestUs = overUs + CONFIDENCE * Math.sqrt(spread);
  }

  /** A stage begins when all before it is over. */
  private enterStage(frame: number, stage: number): void {
    if (this.stageOf[frame] === stage) return;
    this.stageOf[frame] = stage;
    this.beginsInUs[frame] = this.overInUs[frame]!;
  }
}
