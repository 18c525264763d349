import {
  LANE_NEXT_PERIOD,
  LANE_PAUSED_PERIODS,
  LANE_PAUSES,
  LANE_RELEASED,
  ownerOf,
  SLOT_STATE,
  STATUS_DONE,
  STATUS_READY,
  STATUS_WRITING,
  statusOf,
} from '../memory/layout.js';
import { JobRingProducer } from '../ring/job-ring.js';
import { MISS_NUMBERS_KEPT, MissRunsProducer, markMissed } from '../ring/miss-runs.js';
import { COUNT_SKIPPED } from '../telemetry/outcomes.js';
import type { Recorder } from '../telemetry/recorder.js';
import type { AttachedMemory } from './attached-memory.js';
import { isCounted } from './job-ender.js';
import { stoodStill } from './standstill.js';
import type { LaneInfo } from './task-runtime.js';

/** Told of periods that ended before they could be served. */
export type SkippedPeriods = (
  lane: LaneInfo,
  firstReleaseUs: number,
  periods: number,
  nowUs: number,
  afterCrash: boolean,
) => number;

/**
 * Releases the periods of one lane from this worker's own clock. Latency counts from the intended release: a period
 * that could not be served counts as submitted, accepted and expired, and missed periods are not replayed in a burst.
 * Where everything stood still, one of them tells of it and the rest is a pause: periods that were not due.
 */
export class PeriodicReleaser {
  readonly lane: LaneInfo;
  /** Intended release of the next period, microseconds since the epoch (does not wrap). */
  nextReleaseUs: number;
  private readonly memory: AttachedMemory;
  private readonly producer: JobRingProducer;
  private readonly recorder: Recorder;
  private readonly periodIndexAt: number;
  private readonly releasedAt: number;
  private readonly pausesAt: number;
  private readonly pausedPeriodsAt: number;
  private readonly onSkipped: SkippedPeriods;
  private readonly periodic: NonNullable<LaneInfo['periodic']>;
  private readonly missRuns: MissRunsProducer;
  private next: number;
  /** A predecessor released periods before: what it could not, it could not because it died. */
  private afterCrash: boolean;

  constructor(memory: AttachedMemory, lane: LaneInfo, recorder: Recorder, onSkipped: SkippedPeriods) {
    this.lane = lane;
    this.memory = memory;
    this.periodic = lane.periodic!;
    this.producer = new JobRingProducer(memory.rings[this.periodic.ring]!);
    this.recorder = recorder;
    this.onSkipped = onSkipped;
    const laneAt = memory.layout.lane(lane.index);
    this.releasedAt = laneAt + LANE_RELEASED;
    this.periodIndexAt = laneAt + LANE_NEXT_PERIOD;
    this.pausesAt = laneAt + LANE_PAUSES;
    this.pausedPeriodsAt = laneAt + LANE_PAUSED_PERIODS;
    this.freeEnded(STATUS_WRITING); // what a dead predecessor had begun
    this.next = Atomics.load(memory.control, this.periodIndexAt) >>> 0;
    this.missRuns = new MissRunsProducer(this.producer.ring.i32, this.next | 0);
    this.afterCrash = this.next > 0;
    this.nextReleaseUs = this.periodic.startUs + this.next * this.periodic.periodUs;
  }

  /** Publishes what is due at `nowUs` (precise). Returns whether anything was. Allocates nothing. */
  release(nowUs: number): boolean {
    if (nowUs < this.nextReleaseUs) return false;
    const { startUs, periodUs, deadlineUs } = this.periodic;
    // `next` is due, whatever the quotient is rounded to
    const newest = Math.max(this.next, Math.floor((nowUs - startUs) / periodUs));
    // periods whose deadline has gone by, but for the newest
    let firstLive = Math.max(this.next, Math.floor((nowUs - deadlineUs - startUs) / periodUs) + 1);
    if (firstLive > newest) firstLive = newest;
    if (newest - firstLive >= this.producer.ring.capacitySlots - 1) firstLive = newest;
    let expired = firstLive - this.next;
    if (newest > this.next && !this.afterCrash && stoodStill(this.memory.control, this.nextReleaseUs, nowUs)) {
      firstLive = newest;
      expired = Math.min(1, expired);
    }
    if (firstLive > this.next) this.skip(expired, firstLive, nowUs);
    this.afterCrash = false;
    while (this.next <= newest) this.publish(startUs + this.next * periodUs, this.next | 0);
    this.nextReleaseUs = startUs + this.next * periodUs;
    return true;
  }

  /**
   * The periods before `next` are done with, whoever releases from then on: after one was published, before those that are
   * passed over are counted. What a death in between leaves is finished by the supervisor (`Undertaker.finishReleases`).
   */
  private goOnTo(next: number): void {
    this.next = next;
    Atomics.store(this.memory.control, this.periodIndexAt, next | 0); // release
  }

  /** The next `expired` periods could not be served; those from there up to `to` were not due. */
  private skip(expired: number, to: number, nowUs: number): void {
    const { startUs, periodUs, task } = this.periodic;
    const paused = to - this.next - expired;
    let cause = 0;
    if (expired > 0) {
      cause = this.onSkipped(this.lane, startUs + this.next * periodUs, expired, nowUs, this.afterCrash);
      this.markSkipped(this.next, expired);
    }
    if (paused > 0) {
      const { control } = this.memory;
      this.missRuns.give(to | 0, (to - paused) | 0);
      control[this.pausesAt]!++;
      control[this.pausedPeriodsAt]! += paused;
    }
    this.goOnTo(to);
    if (expired > 0) this.recorder.countMany(task, COUNT_SKIPPED + cause, expired);
  }

  private markSkipped(first: number, periods: number): void {
    // older ones are beyond what is kept, but the run is as long
    for (let back = Math.min(periods, MISS_NUMBERS_KEPT); back > 0; back--) {
      const number = (first + periods - back) | 0;
      this.missRuns.give(number, number);
      markMissed(this.producer.ring.i32, number);
    }
  }

  private publish(releaseUs: number, period: number): void {
    const task = this.periodic.task;
    this.missRuns.give(period, period);
    this.freeEnded(STATUS_DONE);
    const slot = this.producer.reserve();
    if (slot < 0) {
      // earlier periods still run or wait elsewhere: this one cannot be served
      const cause = this.onSkipped(this.lane, releaseUs, 1, releaseUs, false);
      markMissed(this.producer.ring.i32, period);
      this.goOnTo(this.next + 1);
      this.recorder.count(task, COUNT_SKIPPED + cause);
      return;
    }
    const released = (Atomics.load(this.memory.control, this.releasedAt) + 1) | 0;
    const release = releaseUs | 0;
    const deadline = (releaseUs + this.periodic.deadlineUs) | 0;
    this.producer.publish(slot, STATUS_READY, task, 0, released, period, release, release, deadline);
    // one store counts it as submitted and accepted; after a death before it the slot tells that it is owed
    Atomics.store(this.memory.control, this.releasedAt, released);
    this.goOnTo(this.next + 1);
  }

  private freeEnded(ofStatus: number): void {
    if (this.producer.liveSlots === 0) return;
    const ring = this.producer.ring;
    for (let slot = 0; slot < ring.capacitySlots; slot++) {
      const state = Atomics.load(ring.i32, ring.slotBase(slot) + SLOT_STATE); // acquire
      if (statusOf(state) !== ofStatus) continue;
      if (ofStatus === STATUS_DONE && !isCounted(this.memory, ring, ring.slotBase(slot), ownerOf(state))) continue;
      if (this.producer.isRetired(slot)) continue;
      this.producer.free(slot);
    }
  }
}
