import { causeLong, culpritName } from '../../report/html/words.js';
import type { ServedProcess, ServedReading, StreamTelemetry } from '../../report/telemetry-client.js';
import {
  histogramCounts,
  type JobCounts,
  type LaneTelemetry,
  type LoopTelemetry,
  type Miss,
  type TaskTelemetry,
  type Telemetry,
} from '../../telemetry/telemetry-data.js';
import { formatUs } from '../demo/terminal/figures.js';

/** What `top` shows of one interval: plain data, and what `--json` writes. Shares are of 1; durations in microseconds. */
export interface TopModel {
  readonly schemaVersion: 1;
  readonly process: ServedProcess;
  /** Milliseconds since 1970 (UTC). */
  readonly atUnixMs: number;
  /** Since the scheduler's start. */
  readonly uptimeUs: number;
  readonly intervalUs: number;
  readonly lanes: readonly TopLane[];
  readonly loops: readonly TopLoop[];
  readonly workers: readonly TopWorker[];
  /** Streams that have no lane of their name. */
  readonly streams: readonly TopStream[];
  readonly lastMiss: { readonly words: string; readonly miss: Miss } | null;
}

export interface TopStream {
  readonly name: string;
  /** In the interval. */
  readonly xruns: number;
  readonly xrunsTotal: number;
}

export interface TopRow {
  readonly name: string;
  /** Jobs that ended in the interval. */
  readonly jobsPerSecond: number;
  /** Mean wait of a job as share of the period, without one of the deadline; null where no job was started. */
  readonly waitingShare: number | null;
  /** Mean execution as share of the period; without one, all execution as share of the interval. */
  readonly busyShare: number | null;
  readonly responseUsP50: number | null;
  readonly responseUsP99: number | null;
  /** Relative. */
  readonly deadlineUs: number;
  readonly misses: number;
  readonly missesTotal: number;
  readonly missCauses: Readonly<Record<string, number>>;
  readonly missCausesTotal: Readonly<Record<string, number>>;
  readonly refused: number;
  readonly inFlight: number;
}

export interface TopLane extends TopRow {
  readonly periodUs: number | null;
  /** What the shares are of: of the period the mean per job, of the interval the sum. */
  readonly shareOf: 'period' | 'interval';
  readonly missRuns: number;
  readonly longestMissRun: number;
  /** Of the last `of` jobs, so many met their deadline. */
  readonly met: number;
  readonly of: number;
  /** In the interval; null: the app serves no stream of the lane's name. */
  readonly xruns: number | null;
  readonly xrunsTotal: number | null;
  readonly tasks: readonly TopRow[];
}

/** A loop of the main thread. */
export interface TopLoop {
  readonly id: number;
  readonly hz: number;
  readonly running: boolean;
  readonly framesPerSecond: number;
  readonly lateFrames: number;
  readonly droppedTicks: number;
  readonly droppedTicksTotal: number;
  /** Of the dropped ticks in the interval. */
  readonly droppedCauses: Readonly<Record<string, number>>;
  readonly tickErrorUsP50: number | null;
  readonly tickErrorUsP99: number | null;
  /** Longest time from one frame to the next. */
  readonly longestGapUs: number | null;
  /** The main thread has begun no frame for at least so long; 0 if it did in the interval. */
  readonly silentUs: number;
}

export interface TopWorker {
  readonly name: string;
  readonly lanes: readonly string[];
  readonly state: 'serving' | 'restarting' | 'gone';
  /** In force, in words; null: not known. */
  readonly priority: string | null;
  readonly policy: string | null;
  readonly niceness: number | null;
  readonly cpus: readonly number[] | null;
  readonly running: { readonly lane: string; readonly task: string; readonly forUs: number } | null;
}

/** Makes the models, one after the other: keeps what the next one needs of the one before. */
export class TopModels {
  private readonly process: ServedProcess;
  private lastMiss: Miss | null;
  private streamsBefore: Map<string, number>;
  private readonly silentUs: Map<number, number>;

  /** @param first totals at the beginning, with their misses */
  constructor(served: ServedProcess, first: ServedReading) {
    this.process = served;
    this.lastMiss = first.telemetry.misses.at(-1) ?? null;
    this.streamsBefore = new Map(first.streams.map((stream) => [stream.name, xrunsOf(stream)]));
    this.silentUs = new Map();
  }

  model(window: ServedReading, total: Telemetry): TopModel {
    const { telemetry } = window;
    const intervalUs = Math.max(1, telemetry.toUs - telemetry.fromUs);
    this.lastMiss = telemetry.misses.at(-1) ?? this.lastMiss;
    const streams = window.streams.map((stream): TopStream => {
      const xrunsTotal = xrunsOf(stream);
      const xruns = Math.max(0, xrunsTotal - (this.streamsBefore.get(stream.name) ?? 0));
      return { name: stream.name, xruns, xrunsTotal };
    });
    this.streamsBefore = new Map(streams.map((stream) => [stream.name, stream.xrunsTotal]));
    const lanes = telemetry.lanes.map((lane, index) =>
      laneOf(
        lane,
        total.lanes[index] ?? lane,
        intervalUs,
        streams.find((stream) => stream.name === lane.name),
      ),
    );
    return {
      schemaVersion: 1,
      process: this.process,
      atUnixMs: telemetry.toUnixMs,
      uptimeUs: telemetry.toUs,
      intervalUs,
      lanes,
      loops: telemetry.loops.map((loop) => this.loopOf(loop, total, intervalUs)),
      workers: telemetry.workers.map(({ name, lanes: served, state, priority, policy, niceness, cpus, running }) => ({
        name,
        lanes: served,
        state,
        priority,
        policy,
        niceness,
        cpus,
        running,
      })),
      streams: streams.filter((stream) => !lanes.some((lane) => lane.name === stream.name)),
      lastMiss: this.lastMiss === null ? null : { words: missInWords(this.lastMiss), miss: this.lastMiss },
    };
  }

  private loopOf(loop: LoopTelemetry, total: Telemetry, intervalUs: number): TopLoop {
    const { id, hz, running } = loop;
    const before = this.silentUs.get(id) ?? 0;
    const silentUs = running && loop.frames === 0 ? before + intervalUs : 0;
    this.silentUs.set(id, silentUs);
    const tickError = histogramCounts(loop.tickErrorUs);
    return {
      id,
      hz,
      running,
      framesPerSecond: (loop.frames * 1e6) / intervalUs,
      lateFrames: loop.missedFrames,
      droppedTicks: loop.droppedTicks,
      droppedTicksTotal: total.loops.find((other) => other.id === id)?.droppedTicks ?? loop.droppedTicks,
      droppedCauses: loop.droppedCauses,
      tickErrorUsP50: tickError.quantileUs(0.5),
      tickErrorUsP99: tickError.quantileUs(0.99),
      longestGapUs: histogramCounts(loop.intervalUs).quantileUs(1),
      silentUs,
    };
  }
}

function laneOf(lane: LaneTelemetry, total: LaneTelemetry, intervalUs: number, stream: TopStream | undefined): TopLane {
  const { name, periodUs, missRuns } = lane;
  const tasks = lane.tasks.map((task, index) =>
    rowOf(task.name, [task], [total.tasks[index] ?? task], periodUs, intervalUs),
  );
  return {
    ...rowOf(name, lane.tasks, total.tasks, periodUs, intervalUs),
    periodUs,
    shareOf: periodUs === null ? 'interval' : 'period',
    missRuns: missRuns.runs,
    longestMissRun: missRuns.longest,
    met: missRuns.met,
    of: missRuns.of,
    xruns: stream?.xruns ?? null,
    xrunsTotal: stream?.xrunsTotal ?? null,
    tasks,
  };
}

function rowOf(
  name: string,
  tasks: readonly TaskTelemetry[],
  total: readonly TaskTelemetry[],
  periodUs: number | null,
  intervalUs: number,
): TopRow {
  const ended = sum(tasks, ({ outcomes }) => Object.values(outcomes).reduce((all, count) => all + count, 0));
  const response = histogramCounts(...tasks.map((task) => task.histograms.responseUs));
  const deadlineUs = Math.min(...tasks.map((task) => task.deadlineUs));
  const sumUs = (key: 'queueingUs' | 'executionUs'): number => sum(tasks, (task) => task.histograms[key].sumUs);
  const started = sum(tasks, (task) => task.histograms.queueingUs.count);
  const executed = sum(tasks, (task) => task.histograms.executionUs.count);
  const busy = periodUs === null ? sumUs('executionUs') / intervalUs : sumUs('executionUs') / executed / periodUs;
  return {
    name,
    jobsPerSecond: (ended * 1e6) / intervalUs,
    waitingShare: started === 0 ? null : sumUs('queueingUs') / started / (periodUs ?? deadlineUs),
    busyShare: periodUs !== null && executed === 0 ? null : busy,
    responseUsP50: response.quantileUs(0.5),
    responseUsP99: response.quantileUs(0.99),
    deadlineUs,
    misses: sum(tasks, (task) => task.misses),
    missesTotal: sum(total, (task) => task.misses),
    missCauses: causesOf(tasks),
    missCausesTotal: causesOf(total),
    refused: sum(tasks, (task) => task.refused),
    inFlight: sum(tasks, (task) => task.inFlight),
  };
}

function causesOf(counts: readonly JobCounts[]): Record<string, number> {
  const causes: Record<string, number> = {};
  for (const { missCauses } of counts) {
    for (const [cause, count] of Object.entries(missCauses))
      if (count > 0) causes[cause] = (causes[cause] ?? 0) + count;
  }
  return causes;
}

function xrunsOf({ underruns, overruns }: StreamTelemetry): number {
  return underruns + overruns;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((all, item) => all + of(item), 0);
}

/** Such as `render.tile (job 12, frame 7) on render-1: 3.20 ms late, other jobs held the worker: audio.block, for 4.1 ms`. */
export function missInWords(miss: Miss): string {
  const { lane, task, job, frame, worker, periods, tardinessUs, culprit } = miss;
  const which = [
    ...(job === null ? [] : [`job ${job}`]),
    ...(frame === null ? [] : [`frame ${frame}`]),
    ...(periods > 1 ? [`${periods} periods`] : []),
  ].join(', ');
  const where = worker === null ? '' : ` on ${worker}`;
  const late =
    miss.outcome === 'late' || miss.outcome === 'onTime' ? `${formatUs(tardinessUs)} late` : `${miss.outcome}`;
  const ran = culprit === null ? '' : `: ${culpritName(culprit)}, for ${formatUs(culprit.executionUs)}`;
  return `${lane}.${task}${which === '' ? '' : ` (${which})`}${where}: ${late}, ${causeLong(miss)}${ran}`;
}
