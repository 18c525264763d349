import { unixMs } from '../base/time.js';
import { HOST_COLUMN, SUPERVISOR_COLUMN } from '../memory/layout.js';
import {
  JOB_DEADLINE_US,
  JOB_FINISH_US,
  JOB_FRAME_NUMBER,
  JOB_KIND,
  JOB_RECORD_WORDS,
  JOB_RELEASE_US,
  JOB_SEQUENCE,
  JOB_START_US,
  JOB_SUBMIT_US,
  JOB_WAKEUP_US,
  JobTraceReader,
  type JobTraceReading,
  jobCauseOf,
  jobColumnOf,
  jobOutcomeOf,
  jobTaskOf,
} from '../telemetry/job-trace.js';
import type { JobRecord, JobTrace, TracedThread } from '../telemetry/job-trace-data.js';
import { MISS_CAUSES, outcomeOfNumber } from '../telemetry/outcomes.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { TelemetrySetup } from './telemetry-reader.js';

/** What a trace tells beside jobs: from other readers. */
export type TraceSurroundings = Pick<JobTrace, 'loops' | 'frames' | 'misses' | 'xruns' | 'gc'>;

/** A finish further back than this against the job that ended after it is taken for one of the round before. */
const BACKWARDS_US = 60_000_000;

/**
 * The jobs that all threads ended last, from shared memory, on any thread; disturbs no writer. Allocates an object for each
 * job: up to `traceJobs - 1` per thread.
 *
 * Stamps go round in 71.6 minutes. Each job is dated against the one that the same thread ended after it, the last one
 * against now: a thread that ended no job for longer shows what it ended before by multiples of 71.6 minutes too late.
 */
export function collectJobTrace(setup: TelemetrySetup, surroundings: TraceSurroundings): JobTrace {
  const { memory, clock, lanes, tasks, workers } = setup;
  const { telemetry, telemetryLayout } = memory;
  const { workerCount } = telemetryLayout;
  const allNames = Array.from({ length: workerCount }, (_, column) => nameOf(memory, workers, column));
  allNames.push('main', 'supervisor');
  const allReadings = allNames.map((_, row) =>
    new JobTraceReader(telemetry, telemetryLayout.jobTrace(row), telemetryLayout.traceJobs).read(),
  );
  // columns of spares that never served are nobody
  const rows = [...allNames.keys()].filter(
    (row) => row < workers.length || row >= workerCount || allReadings[row]!.count > 0,
  );
  const names = rows.map((row) => allNames[row]!);
  const readings = rows.map((row) => allReadings[row]!);
  // after the readings, so that no finish lies ahead of it
  const toUs = Math.floor(clock.nowPreciseUs());
  const threadOf = (column: number): number | null => {
    if (column < 0 || (column >= workerCount && column !== HOST_COLUMN && column !== SUPERVISOR_COLUMN)) return null;
    const thread = rows.indexOf(telemetryLayout.rowOf(column));
    return thread < 0 ? null : thread;
  };
  const threads = names.map((name, row): TracedThread => {
    const reading = readings[row]!;
    // a record of no task was overwritten by mistake
    const jobs = jobsOf(reading, toUs, threadOf).filter((job) => job.task < tasks.length);
    return { name, jobs, overwritten: reading.overwritten };
  });
  return {
    schemaVersion: 1,
    epochUnixMs: unixMs() - toUs / 1000,
    toUs,
    tasks: tasks.map((task) => {
      const lane = lanes[task.lane]!;
      return { lane: lane.name, name: task.name, periodic: lane.periodic !== null };
    }),
    threads,
    loops: surroundings.loops.map(({ id, hz }) => ({ id, hz })),
    frames: surroundings.frames,
    misses: surroundings.misses,
    xruns: surroundings.xruns,
    gc: surroundings.gc,
  };
}

/** A worker that a spare took over has a thread in each column that it had. */
function nameOf(memory: AttachedMemory, workers: TelemetrySetup['workers'], column: number): string {
  if (column < workers.length) return workers[column]!.name;
  return `${workers[memory.placeOf(column)]?.name ?? 'worker'}, spare ${column - workers.length + 1}`;
}

function jobsOf(
  { records, count }: JobTraceReading,
  toUs: number,
  threadOf: (column: number) => number | null,
): JobRecord[] {
  const jobs: JobRecord[] = new Array(count);
  let laterAtUs = toUs;
  for (let i = count - 1; i >= 0; i--) {
    const at = i * JOB_RECORD_WORDS;
    const word = (offset: number): number => records[at + offset]!;
    const kind = word(JOB_KIND);
    const finishUs = word(JOB_FINISH_US);
    const agoUs = ((laterAtUs | 0) - finishUs) | 0;
    const finishAtUs = laterAtUs - (agoUs < -BACKWARDS_US ? agoUs >>> 0 : agoUs);
    laterAtUs = finishAtUs;
    const momentOfWord = (offset: number): number => finishAtUs - ((finishUs - word(offset)) | 0);
    const cause = jobCauseOf(kind);
    const ranOn = threadOf(jobColumnOf(kind));
    const frame = word(JOB_FRAME_NUMBER);
    jobs[i] = {
      task: jobTaskOf(kind),
      job: word(JOB_SEQUENCE) >>> 0,
      frame: frame < 0 ? null : frame,
      outcome: outcomeOfNumber(jobOutcomeOf(kind)),
      cause: cause < 0 ? null : (MISS_CAUSES[cause] ?? 'unknown'),
      submitAtUs: momentOfWord(JOB_SUBMIT_US),
      releaseAtUs: momentOfWord(JOB_RELEASE_US),
      startAtUs: ranOn === null ? null : momentOfWord(JOB_START_US),
      finishAtUs,
      deadlineAtUs: momentOfWord(JOB_DEADLINE_US),
      wakeupUs: word(JOB_WAKEUP_US),
      ranOn,
    };
  }
  return jobs;
}
