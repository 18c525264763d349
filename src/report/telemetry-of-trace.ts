/** Telemetry from a trace that `chromeTrace` wrote: what its jobs, frames and misses still tell. */
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { MISS_CAUSES } from '../telemetry/outcomes.js';
import type { FrameRecord, LoopTelemetry, Telemetry } from '../telemetry/telemetry-data.js';
import type { Source } from './lacks.js';
import { checkTelemetry } from './parse-telemetry.js';
import { sampledHistogram } from './sampled-histogram.js';
import { jobOf, lanesOf, missOf, numberOf, type TraceEvent, zeros } from './traced-jobs.js';

/** What has to be said beside figures that were taken from a trace. */
export const TRACE_NOTE =
  'Made from a trace, which holds the last jobs only, those that were started: refused jobs, budgets, workers and lifetime counts are not in it.';

/** What a trace does not hold: deadlines of jobs are in it, those of tasks are not, nor what the tick error is measured from. */
export const TRACE_SOURCE: Source = {
  name: 'trace',
  lacks: new Set(['unstartedJobs', 'refusedJobs', 'tickErrorUs', 'deadlines', 'periods', 'workers', 'environment']),
};

/**
 * Reads a trace of ours (Trace Event Format) back.
 * @throws FrameDeadlineError TELEMETRY_FILE_INVALID for broken JSON, or a trace of another program
 */
export function parseTrace(text: string): Telemetry {
  const { events, epochUnixMs, toUs } = readEvents(text);
  const threads = new Map<number, string>();
  for (const { ph, name, tid, args } of events) {
    if (ph === 'M' && name === 'thread_name' && tid !== undefined) threads.set(tid, String(args?.['name']));
  }
  const threadOf = ({ tid }: TraceEvent): string => threads.get(tid ?? -1) ?? '';
  const jobs = events
    .filter((event) => event.ph === 'X' && categories(event).includes('job'))
    .map((event) => jobOf(event, threadOf(event)));
  const misses = events.flatMap((event) => {
    const lane = /^(.*): misses( \(\d+\))?$/s.exec(threadOf(event))?.[1];
    return lane !== undefined && event.ph === 'X' && categories(event).includes('miss') ? [missOf(event, lane)] : [];
  });
  const submitted = submittingEnds(events);
  const frames = events.flatMap((event) => frameOf(event, threadOf(event), submitted));
  const fromUs = Math.min(toUs, ...jobs.map((job) => job.startAtUs), ...frames.map((frame) => frame.tickAtUs));
  const telemetry: Telemetry = {
    schemaVersion: 1,
    fromUs,
    toUs,
    toUnixMs: epochUnixMs + toUs / 1000,
    environment: { runtime: 'unknown runtime', platform: 'unknown platform', cpu: null, allowedCpus: [] },
    lanes: lanesOf(jobs),
    loops: loopsOf(frames, threads),
    workers: [],
    misses: misses.sort((a, b) => a.finishAtUs - b.finishAtUs),
    missesOverwritten: 0,
    frames: frames.sort((a, b) => a.tickAtUs - b.tickAtUs),
    framesOverwritten: 0,
  };
  // arguments of events are whatever the file holds
  return checkTelemetry(telemetry, 'the trace');
}

function readEvents(text: string): { events: readonly TraceEvent[]; epochUnixMs: number; toUs: number } {
  let value: { traceEvents?: unknown; otherData?: Record<string, unknown> } | null;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FrameDeadlineError(
      'TELEMETRY_FILE_INVALID',
      `the trace cannot be read as JSON (${why}); it was cut or damaged`,
      { cause },
    );
  }
  const { traceEvents, otherData } = value ?? {};
  if (!Array.isArray(traceEvents) || otherData?.['producer'] !== 'frame-deadline') {
    const message = `the trace is of ${describeValue(otherData?.['producer'] ?? 'another program')}; one that frame-deadline wrote expected`;
    throw new FrameDeadlineError('TELEMETRY_FILE_INVALID', message);
  }
  const events = traceEvents.filter((event): event is TraceEvent => typeof event === 'object' && event !== null);
  return { events, epochUnixMs: numberOf(otherData['epochUnixMs']), toUs: numberOf(otherData['toUs']) };
}

function categories({ cat }: TraceEvent): string[] {
  return typeof cat === 'string' ? cat.split(',') : [];
}

/** Ends of submitting by track and beginning: the slice `submitting` lies in the frame's. */
function submittingEnds(events: readonly TraceEvent[]): Map<string, number> {
  const slices = events.filter(({ ph, name }) => ph === 'X' && name === 'submitting');
  return new Map(slices.map(({ tid, ts, dur }) => [`${tid} ${ts}`, numberOf(ts) + numberOf(dur)]));
}

/** A frame's slice, or the mark of a dropped tick, on a track such as `loop 0 (60 Hz): actual`. */
function frameOf(event: TraceEvent, thread: string, submitted: ReadonlyMap<string, number>): FrameRecord[] {
  const { ph, tid, ts, dur, args = {} } = event;
  if (!categories(event).includes('frame') || !/: actual( \(\d+\))?$/.test(thread)) return [];
  const tickAtUs = numberOf(ts);
  const record = { loop: loopId(thread), number: numberOf(args['frame']), tickAtUs };
  if (ph === 'i') {
    const none = { calledAtUs: null, submittedAtUs: null, finishedAtUs: null, jobs: 0, misses: 0 };
    // a dropped tick's deadline is not in the trace
    return [{ ...record, ...none, outcome: 'dropped', deadlineAtUs: tickAtUs, ticks: numberOf(args['ticks']) }];
  }
  if (ph !== 'X' || args['calledAfterUs'] === undefined) return [];
  const calledAtUs = tickAtUs + numberOf(args['calledAfterUs']);
  return [
    {
      ...record,
      outcome: args['outcome'] as FrameRecord['outcome'],
      calledAtUs,
      submittedAtUs: submitted.get(`${tid} ${calledAtUs}`) ?? calledAtUs,
      finishedAtUs: tickAtUs + numberOf(dur),
      deadlineAtUs: numberOf(args['deadlineAtUs']),
      jobs: numberOf(args['jobs']),
      misses: numberOf(args['misses']),
      ticks: 1,
    },
  ];
}

function loopId(thread: string): number {
  const match = /^loop (\d+)/.exec(thread);
  return match === null ? -1 : Number(match[1]);
}

function loopsOf(frames: readonly FrameRecord[], threads: ReadonlyMap<number, string>): LoopTelemetry[] {
  const ids = [...new Set(frames.map((frame) => frame.loop))].filter((id) => id >= 0).sort((a, b) => a - b);
  return ids.map((id) => {
    const of = frames.filter((frame) => frame.loop === id).sort((a, b) => a.tickAtUs - b.tickAtUs);
    const called = of.filter((frame) => frame.calledAtUs !== null);
    const droppedTicks = of.reduce((sum, frame) => sum + (frame.outcome === 'dropped' ? frame.ticks : 0), 0);
    const hz = Number(
      /\(([\d.]+) Hz\)/.exec([...threads.values()].find((name) => name.startsWith(`loop ${id} `)) ?? '')?.[1] ?? 60,
    );
    const since = (end: (frame: FrameRecord) => number | null) =>
      sampledHistogram(called.map((frame) => end(frame)! - frame.tickAtUs));
    return {
      id,
      hz,
      deadlineUs: Math.max(0, ...called.map((frame) => frame.deadlineAtUs - frame.tickAtUs)),
      running: false,
      intendedTicks: called.length + droppedTicks,
      droppedTicks,
      frames: called.length,
      missedFrames: called.filter((frame) => frame.outcome === 'late').length,
      droppedCauses: { ...zeros(MISS_CAUSES), unknown: droppedTicks },
      tickErrorUs: since((frame) => frame.calledAtUs),
      submittingUs: since((frame) => frame.submittedAtUs),
      frameUs: since((frame) => frame.finishedAtUs),
      intervalUs: sampledHistogram(called.slice(1).map((frame, n) => frame.calledAtUs! - called[n]!.calledAtUs!)),
    };
  });
}
