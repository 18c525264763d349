import { checkKeys } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import type { JobRecord, JobTrace } from '../telemetry/job-trace-data.js';
import { writeCounterTracks } from './trace/counter-tracks.js';
import { writeFrameTracks } from './trace/frame-tracks.js';
import { writeJobTracks } from './trace/job-tracks.js';
import { writeMissTracks } from './trace/miss-tracks.js';
import { TraceEvents, type Track } from './trace/track.js';

export {
  type JobRecord,
  type JobTrace,
  jobTraceSince,
  type TracedGc,
  type TracedTask,
  type TracedThread,
  type Xrun,
} from '../telemetry/job-trace-data.js';

/** Something that happened at one moment, to be shown on a track of its own. */
export interface TraceInstant {
  readonly name: string;
  /** Microseconds since the scheduler's epoch. */
  readonly atUs: number;
  /** Name of its track: those with the same name share one. */
  readonly track: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface ChromeTraceOptions {
  /** The app's own marks. */
  readonly instants?: readonly TraceInstant[];
  /** Jobs at most, the newest, 1 to 500 000; a job takes about 700 bytes. Default 100 000. */
  readonly maxJobs?: number;
}

const DEFAULT_MAX_JOBS = 100_000;
/** Above that the text might pass what a string can hold. */
const MAX_JOBS = 500_000;
const THREADS = 1;
const FRAMES = 2;
const MISSES = 3;
const MARKS = 4;

/**
 * The trace as JSON in the Trace Event Format: Perfetto (ui.perfetto.dev) and Chrome's viewers open it. Moments are in
 * microseconds since the scheduler's epoch. A pure function; takes about 5 µs a job.
 * @throws FrameDeadlineError OPTION_INVALID for another schema version or an unknown option, or `maxJobs` out of range
 */
export function chromeTrace(trace: JobTrace, options: ChromeTraceOptions = {}): string {
  checkKeys('the options of chromeTrace', options, ['instants', 'maxJobs']);
  const maxJobs = options.maxJobs ?? DEFAULT_MAX_JOBS;
  if (!Number.isInteger(maxJobs) || maxJobs < 1 || maxJobs > MAX_JOBS) {
    throw new FrameDeadlineError('OPTION_INVALID', `maxJobs is ${describeValue(maxJobs)}, expected 1 to ${MAX_JOBS}`);
  }
  if (trace?.schemaVersion !== 1) {
    const version = describeValue(trace?.schemaVersion);
    throw new FrameDeadlineError('OPTION_INVALID', `a job trace of version ${version} was given, expected version 1`);
  }
  const jobs = newest(trace, maxJobs);
  const events = new TraceEvents();
  events.process(THREADS, 'frame-deadline: threads');
  writeJobTracks(events, THREADS, trace, jobs);
  writeCounterTracks(events, THREADS, trace, jobs);
  if (trace.frames.length > 0) {
    events.process(FRAMES, 'frame-deadline: frames');
    writeFrameTracks(events, FRAMES, trace);
  }
  if (trace.misses.length > 0) {
    events.process(MISSES, 'frame-deadline: misses');
    writeMissTracks(events, MISSES, trace);
  }
  writeMarks(events, trace, options.instants ?? []);
  const kept = jobs.reduce((sum, ofThread) => sum + ofThread.length, 0);
  const all = trace.threads.reduce((sum, { jobs, overwritten }) => sum + jobs.length + overwritten, 0);
  const otherData = {
    producer: 'frame-deadline',
    schemaVersion: trace.schemaVersion,
    epochUnixMs: trace.epochUnixMs,
    epoch: dateOf(trace.epochUnixMs),
    toUs: trace.toUs,
    jobs: kept,
    earlierJobs: all - kept,
  };
  const head = `{"displayTimeUnit":"ms","otherData":${JSON.stringify(otherData)},"traceEvents":[\n`;
  return `${head}${events.texts().join(',\n')}\n]}\n`;
}

function dateOf(unixMs: number): string | null {
  const date = new Date(unixMs);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** By thread, the jobs that ended last. */
function newest(trace: JobTrace, maxJobs: number): JobRecord[][] {
  const count = trace.threads.reduce((sum, { jobs }) => sum + jobs.length, 0);
  if (count <= maxJobs) return trace.threads.map(({ jobs }) => [...jobs]);
  const finishes = Float64Array.from(trace.threads.flatMap(({ jobs }) => jobs.map((job) => job.finishAtUs))).sort();
  // several that ended in the same microsecond may be one or two more
  const from = finishes[count - maxJobs]!;
  return trace.threads.map(({ jobs }) => jobs.filter((job) => job.finishAtUs >= from));
}

function writeMarks(events: TraceEvents, trace: JobTrace, instants: readonly TraceInstant[]): void {
  const tracks = new Map<string, Track>();
  const trackOf = (name: string): Track => {
    if (tracks.size === 0) events.process(MARKS, 'frame-deadline: marks');
    let track = tracks.get(name);
    if (track === undefined) {
      track = events.track(MARKS, name);
      tracks.set(name, track);
    }
    return track;
  };
  for (const { stream, kind, atUs, items } of trace.xruns)
    trackOf(`stream ${stream}`).instant(kind, 'xrun', atUs, { items });
  for (const { name, atUs, track, args } of instants) trackOf(track).instant(name, 'mark', atUs, args);
}
