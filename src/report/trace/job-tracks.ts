import type { JobRecord, JobTrace, TracedGc } from '../../telemetry/job-trace-data.js';
import type { Miss } from '../../telemetry/telemetry-data.js';
import { type Args, COLOUR_BAD, COLOUR_GREY, COLOUR_TERRIBLE, type TraceEvents, type Track } from './track.js';

const SUBMIT_SLICE_US = 1;

/** A job with the flow from its submit to its start, if both are drawn. */
interface DrawnJob {
  readonly job: JobRecord;
  readonly thread: number;
  readonly flow: number | undefined;
}

/**
 * A track per thread: jobs where they ran, submits and the loop's callbacks on main's, collections, and where a job
 * ran past its deadline a mark at that moment.
 */
export function writeJobTracks(events: TraceEvents, pid: number, trace: JobTrace, jobs: readonly JobRecord[][]): void {
  const tracks = trace.threads.map(({ name }) => events.track(pid, name));
  const main = trace.threads.findIndex(({ name }, index) => name === 'main' && index >= trace.threads.length - 2);
  const misses = missesByJob(trace);
  const submits = new Map<number, DrawnJob[]>();
  let flows = 0;
  jobs.forEach((ofThread, endedBy) => {
    for (const job of ofThread) {
      const ranOn = job.ranOn ?? -1;
      const submitted = main >= 0 && trace.tasks[job.task]?.periodic === false;
      // jobs that main ran itself need no arrow
      const afterwards = ranOn !== main && job.startAtUs !== null && job.startAtUs >= job.submitAtUs;
      const flow = submitted && afterwards && tracks[ranOn] !== undefined ? ++flows : undefined;
      const drawn = { job, thread: endedBy, flow };
      if (submitted) groupOf(submits, job.submitAtUs).push(drawn);
      const track = tracks[ranOn];
      if (track !== undefined) writeJob(track, trace, drawn, misses.get(keyOf(trace, job)));
    }
  });
  if (main >= 0) writeMain(tracks[main]!, trace, submits);
  for (const gc of trace.gc) {
    const thread = trace.threads.findIndex(({ name }) => name === gc.thread);
    if (thread >= 0)
      writeCollection(
        tracks[thread]!,
        gc,
        jobs.flat().filter(({ ranOn }) => ranOn === thread),
      );
  }
}

/** In pieces, where jobs began or ended meanwhile: slices must nest, and the job is the one that has to be whole. */
function writeCollection(track: Track, { kind, atUs, durationUs }: TracedGc, jobs: readonly JobRecord[]): void {
  const cuts = jobs
    .flatMap(({ startAtUs, finishAtUs }) => [startAtUs ?? finishAtUs, finishAtUs])
    .filter((us) => us > atUs && us < atUs + durationUs)
    .sort((a, b) => a - b);
  const args = { atUs, durationUs };
  let startUs = atUs;
  for (const endUs of [...cuts, atUs + durationUs]) {
    track.slice({ name: `gc ${kind}`, category: 'gc', startUs, endUs, colour: COLOUR_GREY, args });
    startUs = endUs;
  }
}

function writeJob(track: Track, trace: JobTrace, { job, thread, flow }: DrawnJob, miss: Miss | undefined): void {
  const task = trace.tasks[job.task];
  const startUs = job.startAtUs ?? job.finishAtUs;
  const name = task?.name ?? `task ${job.task}`;
  const missed = job.cause !== null;
  track.slice({
    name: missed || job.outcome !== 'onTime' ? `${name} [${job.outcome}]` : name,
    category: missed ? 'job,miss' : 'job',
    startUs,
    endUs: job.finishAtUs,
    colour: job.outcome === 'lost' || job.outcome === 'failed' ? COLOUR_TERRIBLE : missed ? COLOUR_BAD : undefined,
    args: argsOf(trace, job, thread, miss),
    flowIn: flow,
  });
  if (!missed) return;
  const markUs = Math.min(Math.max(job.deadlineAtUs, startUs), job.finishAtUs);
  track.instant(`missed: ${job.cause}`, 'miss', markUs, { task: name, job: job.job, deadlineAtUs: job.deadlineAtUs });
}

function argsOf(trace: JobTrace, job: JobRecord, endedBy: number, miss: Miss | undefined): Args {
  const task = trace.tasks[job.task];
  const args: Record<string, unknown> = {
    lane: task?.lane ?? null,
    task: task?.name ?? null,
    job: job.job,
    [task?.periodic === true ? 'period' : 'frame']: job.frame,
    outcome: job.outcome,
    submitAtUs: job.submitAtUs,
    releaseAtUs: job.releaseAtUs,
    deadlineAtUs: job.deadlineAtUs,
    queueingUs: job.startAtUs === null ? null : Math.max(0, job.startAtUs - job.releaseAtUs),
    wakeupUs: job.wakeupUs,
    timeToDeadlineUs: job.deadlineAtUs - job.finishAtUs,
  };
  if (job.cause !== null) args['cause'] = job.cause;
  if (endedBy !== job.ranOn) args['endedBy'] = trace.threads[endedBy]?.name ?? null;
  if (miss !== undefined) {
    args['causes'] = miss.causes;
    args['segments'] = miss.segments;
    args['culprit'] = miss.culprit;
  }
  return args;
}

/** What main did for the scheduler: the loops' callbacks, and submits, those of one moment together. */
function writeMain(track: Track, trace: JobTrace, submits: ReadonlyMap<number, readonly DrawnJob[]>): void {
  for (const frame of trace.frames) {
    if (frame.calledAtUs === null || frame.submittedAtUs === null) continue;
    const { loop, number } = frame;
    track.slice({
      name: loop < 0 ? 'frame of the host' : 'frame callback',
      category: 'frame',
      startUs: frame.calledAtUs,
      endUs: frame.submittedAtUs,
      args: { loop, frame: number },
    });
  }
  for (const [atUs, drawn] of submits) {
    const flowsOut = drawn.flatMap(({ flow }) => (flow === undefined ? [] : [flow]));
    const args = { jobs: drawn.length, tasks: [...new Set(drawn.map(({ job }) => trace.tasks[job.task]!.name))] };
    track.slice({
      name: 'submit',
      category: 'submit',
      startUs: atUs,
      endUs: atUs + SUBMIT_SLICE_US,
      args,
      flowsOut,
    });
  }
}

function groupOf<K, V>(groups: Map<K, V[]>, key: K): V[] {
  let group = groups.get(key);
  if (group === undefined) {
    group = [];
    groups.set(key, group);
  }
  return group;
}

function missesByJob(trace: JobTrace): Map<string, Miss> {
  const byJob = new Map<string, Miss>();
  for (const miss of trace.misses) {
    if (miss.job !== null) byJob.set(JSON.stringify([miss.lane, miss.task, miss.job]), miss);
  }
  return byJob;
}

function keyOf(trace: JobTrace, job: JobRecord): string {
  const task = trace.tasks[job.task];
  return JSON.stringify([task?.lane, task?.name, job.job]);
}
