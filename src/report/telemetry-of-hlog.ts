import { MISS_CAUSES, OUTCOMES, REFUSALS } from '../telemetry/outcomes.js';
import { HISTOGRAMS, type HistogramName } from '../telemetry/recorder.js';
import {
  bucketRangeNs,
  type HistogramData,
  type LoopTelemetry,
  type TaskTelemetry,
  type Telemetry,
} from '../telemetry/telemetry-data.js';
import { type Hlog, hlogTotals } from './hlog-reader.js';
import type { Lack, Source } from './lacks.js';
import { sampledHistogram } from './sampled-histogram.js';
import { zeros } from './traced-jobs.js';

/** What has to be said beside figures that were taken from a log. */
export const HLOG_NOTE =
  'Made from an HdrHistogram log, which holds distributions only: jobs and misses are counted from them; causes, outcomes, refused jobs, jobs that never ran, dropped ticks and single frames are not in it.';

const HLOG_LACKS: readonly Lack[] = ['droppedTicks', 'unstartedJobs', 'refusedJobs', 'tasks', 'workers'];
/** Of logs without our description. */
const FOREIGN_LACKS: readonly Lack[] = ['deadlines', 'periods', 'environment'];

/** What a log does not hold. */
export function hlogSource({ description }: Hlog): Source {
  return { name: 'log', lacks: new Set(description === null ? [...HLOG_LACKS, ...FOREIGN_LACKS] : HLOG_LACKS) };
}

/**
 * A log's distributions as telemetry, for reports and comparisons: a lane of one task for each that has a tag, as the log
 * sums over tasks; of a foreign log each tag is one lane's response times. Deadlines are known for our own logs only
 * and infinite else; {@link HLOG_NOTE} says what is missing.
 */
export function telemetryOfHlog(log: Hlog): Telemetry {
  const { description, intervals } = log;
  const data = new Map<string, Map<string, HistogramData>>();
  for (const { owner, metric, tag, histogram } of hlogTotals(log)) {
    const isOurs = owner !== null && description !== null;
    const name = isOurs ? owner : tag === '' ? 'log' : tag;
    const of = data.get(name) ?? new Map<string, HistogramData>();
    data.set(name, of.set(isOurs ? `${metric}Us` : 'responseUs', histogram));
  }
  const loops = (description?.loops ?? []).map((loop) => {
    const of = data.get(`loop${loop.id}`);
    data.delete(`loop${loop.id}`);
    return loopOf(loop, of ?? new Map());
  });
  const lanes = [...data].map(([name, of]) => {
    const described = description?.lanes.find((lane) => lane.name === name);
    return {
      name,
      periodUs: described?.periodUs ?? null,
      tasks: [taskOf(described?.tasks ?? [], of)],
      missRuns: { runs: 0, longest: 0, met: 0, of: 0 },
    };
  });
  const fromUnixMs = log.startUnixMs ?? intervals[0]?.fromUnixMs ?? 0;
  const toUnixMs = intervals.reduce((last, interval) => Math.max(last, interval.toUnixMs), fromUnixMs);
  return {
    schemaVersion: 1,
    fromUs: 0,
    toUs: (toUnixMs - fromUnixMs) * 1000,
    toUnixMs,
    environment: description?.environment ?? {
      runtime: 'unknown runtime',
      platform: 'unknown platform',
      cpu: null,
      allowedCpus: [],
    },
    lanes,
    loops,
    workers: [],
    misses: [],
    missesOverwritten: 0,
    frames: [],
    framesOverwritten: 0,
  };
}

type DescribedTasks = readonly {
  readonly name: string;
  readonly deadlineUs: number;
  readonly budgetUs: number | null;
}[];

function taskOf(described: DescribedTasks, of: ReadonlyMap<string, HistogramData>): TaskTelemetry {
  const histograms = Object.fromEntries(
    HISTOGRAMS.map((name) => [name, of.get(name) ?? sampledHistogram([])]),
  ) as Record<HistogramName, HistogramData>;
  const [first] = described;
  const isAlone = described.length === 1;
  // a lane's jobs can be held against a deadline only where all have the same
  const sharesDeadline = first !== undefined && described.every((task) => task.deadlineUs === first.deadlineUs);
  const misses = histograms.tardinessUs.count;
  const accepted = Math.max(histograms.responseUs.count, misses);
  return {
    name: isAlone ? first!.name : described.length > 1 ? 'all tasks' : 'all jobs',
    deadlineUs: sharesDeadline ? first.deadlineUs : Number.POSITIVE_INFINITY,
    budgetUs: isAlone ? first!.budgetUs : null,
    submitted: accepted,
    accepted,
    refused: 0,
    refusals: zeros(REFUSALS),
    inFlight: 0,
    outcomes: { ...zeros(OUTCOMES), onTime: accepted - misses, late: misses },
    misses,
    missCauses: { ...zeros(MISS_CAUSES), unknown: misses },
    histograms,
  };
}

function loopOf(
  { id, hz, deadlineUs }: { readonly id: number; readonly hz: number; readonly deadlineUs: number },
  of: ReadonlyMap<string, HistogramData>,
): LoopTelemetry {
  const histogram = (name: string): HistogramData => of.get(name) ?? sampledHistogram([]);
  const frameUs = histogram('frameUs');
  const late = frameUs.buckets.reduce(
    (sum, [index, count]) => sum + (bucketRangeNs(index).lowest / 1000 >= deadlineUs ? count : 0),
    0,
  );
  return {
    id,
    hz,
    deadlineUs,
    running: false,
    intendedTicks: frameUs.count,
    droppedTicks: 0,
    frames: frameUs.count,
    missedFrames: late,
    droppedCauses: zeros(MISS_CAUSES),
    tickErrorUs: histogram('tickErrorUs'),
    submittingUs: histogram('submittingUs'),
    frameUs,
    intervalUs: histogram('intervalUs'),
  };
}
