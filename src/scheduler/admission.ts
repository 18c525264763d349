import type { Clock, StampUs } from '../base/time.js';
import type { JobRing } from '../ring/job-ring.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';
import { ExecutionEstimates } from './admission-estimates.js';
import { type Candidate, Forecast } from './admission-forecast.js';
import { JobLedger } from './admission-ledger.js';
import type { Plan } from './plan.js';

/** A task that could not be in time even alone is tried at most so often, and takes at most this share of the time. */
const TRY_EVERY_US = 100_000;
const TRY_SHARE = 0.05;

type Rules = Pick<Plan, 'lanes' | 'tasks'>;

export interface Shedder {
  /** Ends a ready job, whose state was read before, to make room; false if a worker has begun it. */
  shed(ring: JobRing, slot: number, state: number): boolean;
}

/**
 * Decides at the submit which jobs are accepted, for lanes with `admission: 'estimate'` and all that share workers with
 * them: those that the forecast says will be in time without making others late. Where not all fit, less important jobs
 * that have not begun give way. Host thread only; allocates nothing after its construction, but where jobs give way.
 */
export class Admission {
  private readonly lanes: readonly LaneInfo[];
  private readonly tasks: readonly TaskInfo[];
  private readonly estimates: ExecutionEstimates;
  private readonly ledger: JobLedger;
  private readonly forecast: Forecast;
  private readonly candidate: Candidate;
  private readonly clock: Clock;
  private readonly triedUs: Float64Array;
  private readonly shedder: Shedder;

  constructor(memory: AttachedMemory, clock: Clock, plan: Rules, lanes: readonly number[], shedder: Shedder) {
    this.lanes = plan.lanes;
    this.tasks = plan.tasks;
    this.estimates = new ExecutionEstimates(plan.tasks.map(({ budgetUs }) => budgetUs));
    const rings = memory.rings.filter((ring) => !ring.periodic && lanes.includes(memory.ringHandles[ring.index]!.lane));
    this.ledger = new JobLedger(rings, this.estimates);
    const laneOf = plan.tasks.map(({ lane }) => lane);
    const isGuarded = laneOf.map((lane) => plan.lanes[lane]!.admission !== 'off');
    this.forecast = new Forecast(memory, this.ledger, this.estimates, laneOf, isGuarded, freeShares(memory, plan));
    this.candidate = { lane: 0, task: 0, deadlineUs: 0, frame: 0, stage: 0 };
    this.clock = clock;
    this.triedUs = new Float64Array(plan.tasks.length).fill(Number.NEGATIVE_INFINITY);
    this.shedder = shedder;
  }

  /**
   * Whether a job is to be accepted. `frame` is its frame slot + 1, or 0. `mayShed`: whether others may give way for it.
   */
  admits(task: TaskInfo, deadlineUs: StampUs, frame: number, stage: number, mayShed: boolean): boolean {
    const lane = this.lanes[task.lane]!;
    if (lane.admission === 'off') return true;
    const { ledger, forecast, candidate, clock } = this;
    candidate.lane = task.lane;
    candidate.task = task.index;
    candidate.deadlineUs = deadlineUs;
    candidate.frame = frame;
    candidate.stage = stage;
    ledger.refresh();
    const nowUs = clock.nowUs();
    if (forecast.fits(candidate, nowUs)) return true;
    if (!forecast.fitsAlone(candidate, nowUs)) return this.isToBeTried(task.index);
    return mayShed && this.makeRoom(lane.importance, nowUs);
  }

  /** Told of every job of these lanes that was published. */
  accepted(ring: JobRing, slot: number): void {
    this.ledger.add(ring, slot);
  }

  /** Told before the slot of a job that has ended is given back. */
  ended(ring: JobRing, slot: number): void {
    this.ledger.ended(ring, slot);
  }

  private laneOfEntry(entry: number): LaneInfo {
    return this.lanes[this.tasks[this.ledger.task[entry]!]!.lane]!;
  }

  /** Sheds the least important that the candidate needs to fit; nothing, if all of them were not enough. */
  private makeRoom(importance: number, nowUs: StampUs): boolean {
    const { ledger, forecast, candidate } = this;
    const less = this.lessImportant(importance);
    if (less.length === 0) return false;
    const fitsWithout = (count: number): boolean => {
      less.forEach((entry, i) => {
        forecast.without[entry] = i < count ? 1 : 0;
      });
      return forecast.fits(candidate, nowUs);
    };
    let enough = fitsWithout(less.length) ? less.length : -1;
    if (enough > 0) {
      let tooFew = 0;
      while (enough - tooFew > 1) {
        const middle = (tooFew + enough) >>> 1;
        if (fitsWithout(middle)) enough = middle;
        else tooFew = middle;
      }
      fitsWithout(enough);
    }
    // the last one was needed; of those before it some may stay
    const leaving: number[] = [];
    for (let i = enough - 1; i >= 0; i--) {
      const entry = less[i]!;
      forecast.without[entry] = 0;
      if (i !== enough - 1 && forecast.fits(candidate, nowUs)) continue;
      forecast.without[entry] = 1;
      leaving.push(entry);
    }
    for (const entry of less) forecast.without[entry] = 0;
    if (enough < 0) return false;
    let hasLost = false;
    for (const entry of leaving) {
      if (!this.shedder.shed(ledger.ringOf[entry]!, ledger.slotOf(entry), ledger.state[entry]!)) hasLost = true;
    }
    if (!hasLost) return true;
    ledger.refresh();
    return forecast.fits(candidate, nowUs);
  }

  /** Ready jobs of less important lanes, the least important first, of these the latest deadline first. */
  private lessImportant(importance: number): number[] {
    const { ledger } = this;
    const found: number[] = [];
    for (let i = ledger.count - 1; i >= 0; i--) {
      const entry = ledger.order[i]!;
      const lane = this.laneOfEntry(entry);
      if (lane.admission !== 'off' && lane.importance < importance && ledger.isReady(entry)) found.push(entry);
    }
    return found.sort((a, b) => this.laneOfEntry(a).importance - this.laneOfEntry(b).importance);
  }

  private isToBeTried(task: number): boolean {
    const preciseUs = this.clock.nowPreciseUs();
    const everyUs = Math.max(TRY_EVERY_US, this.estimates.meanOf(task) / TRY_SHARE);
    if (preciseUs - this.triedUs[task]! < everyUs) return false;
    this.triedUs[task] = preciseUs;
    return true;
  }
}

/** By lane: the admission that it takes part in, or null. Lanes that share workers, also by way of others, share one. */
export function admissionsOf(
  memory: AttachedMemory,
  clock: Clock,
  plan: Rules,
  shedder: Shedder,
): readonly (Admission | null)[] {
  const byLane: (Admission | null)[] = plan.lanes.map(() => null);
  for (const lane of plan.lanes) {
    if (lane.admission === 'off' || byLane[lane.index] !== null) continue;
    let workers = memory.serversOf(lane.index);
    let together: LaneInfo[] = [];
    for (;;) {
      const reached = plan.lanes.filter(({ index }) => (memory.serversOf(index) & workers) !== 0);
      if (reached.length === together.length) break;
      together = reached;
      for (const { index } of reached) workers |= memory.serversOf(index);
    }
    const lanes = together.map(({ index }) => index);
    const admission = new Admission(memory, clock, plan, lanes, shedder);
    for (const index of lanes) byLane[index] = admission;
  }
  return byLane;
}

/** What periodic lanes leave of each worker's time: declared budgets, spread over the lane's workers. */
function freeShares(memory: AttachedMemory, plan: Rules): Float64Array {
  const shares = new Float64Array(memory.workerCount).fill(1);
  for (const { index, periodic } of plan.lanes) {
    if (periodic === null) continue;
    const servers = memory.serversOf(index);
    const workers = shares.map((_, worker) => (servers >>> worker) & 1).reduce((sum, one) => sum + one, 0);
    const share = plan.tasks[periodic.task]!.budgetUs / periodic.periodUs / Math.max(workers, 1);
    shares.forEach((free, worker) => {
      if (((servers >>> worker) & 1) === 1) shares[worker] = Math.max(free - share, 0.05);
    });
  }
  return shares;
}
