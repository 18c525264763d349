import { LANE_RELEASED, OUTCOME_EXPIRED } from '../memory/layout.js';
import { COUNTER_WORDS, readCounter } from '../telemetry/counters.js';
import { HistogramReader } from '../telemetry/histogram-reader.js';
import {
  COUNT_ACCEPTED,
  COUNT_REFUSED,
  COUNT_SKIPPED,
  COUNT_SUBMITTED,
  MISS_CAUSES,
  type MissCause,
  OUTCOMES,
  type Outcome,
  outcomeCounter,
  REFUSALS,
  type Refusal,
} from '../telemetry/outcomes.js';
import { HISTOGRAMS, type HistogramName } from '../telemetry/recorder.js';
import { type HistogramData, histogramData, type JobCounts, type TaskTelemetry } from '../telemetry/telemetry-data.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';

/** Reads one task's counters and histograms, summed over all threads. Keeps what it saw: windows are differences. */
export class TaskReader {
  readonly info: TaskInfo;
  private readonly lane: LaneInfo;
  private readonly memory: AttachedMemory;
  private readonly histograms: readonly HistogramReader[];
  private before: JobCounts;

  /** Allocates about 260 KiB. */
  constructor(memory: AttachedMemory, info: TaskInfo, lane: LaneInfo) {
    this.memory = memory;
    this.info = info;
    this.lane = lane;
    const { telemetryLayout: layout, telemetry } = memory;
    this.histograms = HISTOGRAMS.map(
      (_, histogram) =>
        new HistogramReader(
          Array.from({ length: layout.rowCount }, (_unused, row) => ({
            words: telemetry,
            base: layout.histogram(row, info.index, histogram),
          })),
        ),
    );
    this.before = zeroCounts();
  }

  /** @param window since the last such reading; else since the start */
  read(window: boolean): TaskTelemetry {
    const { info, lane } = this;
    const histograms = {} as Record<HistogramName, HistogramData>;
    HISTOGRAMS.forEach((name, i) => {
      const reader = this.histograms[i]!;
      histograms[name] = histogramData(window ? reader.window() : reader.total());
    });
    const total = this.totalCounts();
    const counts = window ? differenceOf(total, this.before) : total;
    if (window) this.before = total;
    const isPeriodic = lane.periodic?.task === info.index;
    return {
      name: info.name,
      deadlineUs: isPeriodic ? lane.periodic!.deadlineUs : info.deadlineUs,
      budgetUs: info.budgetUs > 0 ? info.budgetUs : null,
      ...counts,
      histograms,
    };
  }

  private count(counter: number): number {
    const { telemetry, telemetryLayout: layout } = this.memory;
    let sum = 0;
    for (let row = 0; row < layout.rowCount; row++) {
      sum += readCounter(telemetry, layout.counters(row, this.info.index) + counter * COUNTER_WORDS);
    }
    return sum;
  }

  /** The word holds 32 bits of the count: of those that `ran` there are few more or fewer. */
  private releasedPeriods(ran: number): number {
    if (this.lane.periodic?.task !== this.info.index) return 0;
    const { control, layout } = this.memory;
    const low = Atomics.load(control, layout.lane(this.info.lane) + LANE_RELEASED);
    return ran + ((low - ran) | 0);
  }

  private totalCounts(): JobCounts {
    // ends before beginnings: a job that ends meanwhile is never counted as ended and not begun
    const counts = zeroCounts();
    let ended = 0;
    let skipped = 0;
    OUTCOMES.forEach((name, i) => {
      const outcome = i + 1;
      let total = this.count(outcomeCounter(outcome, -1));
      MISS_CAUSES.forEach((cause, causeIndex) => {
        const ofPeriods = outcome === OUTCOME_EXPIRED ? this.count(COUNT_SKIPPED + causeIndex) : 0;
        const missed = this.count(outcomeCounter(outcome, causeIndex)) + ofPeriods;
        skipped += ofPeriods;
        counts.missCauses[cause] += missed;
        counts.misses += missed;
        total += missed;
      });
      counts.outcomes[name] = total;
      ended += total;
    });
    const periods = skipped + this.releasedPeriods(ended - skipped);
    counts.accepted = this.count(COUNT_ACCEPTED) + periods;
    REFUSALS.forEach((name, i) => {
      counts.refusals[name] = this.count(COUNT_REFUSED + i);
      counts.refused += counts.refusals[name];
    });
    counts.submitted = this.count(COUNT_SUBMITTED) + periods;
    counts.inFlight = counts.accepted - ended;
    return counts;
  }
}

export function zeroCounts(): JobCounts {
  return {
    submitted: 0,
    accepted: 0,
    refused: 0,
    refusals: zeros<Refusal>(REFUSALS),
    inFlight: 0,
    outcomes: zeros<Outcome>(OUTCOMES),
    misses: 0,
    missCauses: zeros<MissCause>(MISS_CAUSES),
  };
}

export function zeros<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}

function differenceOf(now: JobCounts, before: JobCounts): JobCounts {
  return {
    submitted: now.submitted - before.submitted,
    accepted: now.accepted - before.accepted,
    refused: now.refused - before.refused,
    refusals: difference(now.refusals, before.refusals),
    inFlight: now.inFlight,
    outcomes: difference(now.outcomes, before.outcomes),
    misses: now.misses - before.misses,
    missCauses: difference(now.missCauses, before.missCauses),
  };
}

function difference<K extends string>(now: Record<K, number>, before: Record<K, number>): Record<K, number> {
  const result = { ...now };
  for (const key of Object.keys(before) as K[]) result[key] -= before[key];
  return result;
}
