import type { JobRecord, JobTrace } from '../../telemetry/job-trace-data.js';
import type { TraceEvents } from './track.js';

/** Steps of one counter over the whole trace: what is closer together is shown as its peak. */
const MAX_STEPS = 20_000;

/** Two counters per lane: jobs in flight (submitted, not ended) and jobs that are ready and wait, of the jobs in the trace. */
export function writeCounterTracks(
  events: TraceEvents,
  pid: number,
  trace: JobTrace,
  jobs: readonly JobRecord[][],
): void {
  const inFlight = new Map<string, Change[]>();
  const waiting = new Map<string, Change[]>();
  for (const job of jobs.flat()) {
    const task = trace.tasks[job.task];
    if (task === undefined) continue;
    change(inFlight, task.lane, job.submitAtUs, job.finishAtUs);
    // a job behind a barrier is released later than it is submitted, a late period before
    change(waiting, task.lane, Math.max(job.releaseAtUs, job.submitAtUs), job.startAtUs ?? job.finishAtUs);
  }
  for (const [lane, changes] of inFlight) writeCounter(events, pid, `${lane}: jobs in flight`, changes);
  for (const [lane, changes] of waiting) writeCounter(events, pid, `${lane}: jobs that wait`, changes);
}

interface Change {
  readonly atUs: number;
  readonly by: number;
}

function change(changes: Map<string, Change[]>, lane: string, fromUs: number, toUs: number): void {
  if (toUs < fromUs) return;
  let ofLane = changes.get(lane);
  if (ofLane === undefined) {
    ofLane = [];
    changes.set(lane, ofLane);
  }
  ofLane.push({ atUs: fromUs, by: 1 }, { atUs: toUs, by: -1 });
}

function writeCounter(events: TraceEvents, pid: number, name: string, changes: Change[]): void {
  changes.sort((a, b) => a.atUs - b.atUs || b.by - a.by);
  const first = changes[0]!.atUs;
  const stepUs = Math.max(1, Math.ceil((changes[changes.length - 1]!.atUs - first) / MAX_STEPS));
  let value = 0;
  let shown = -1;
  const show = (atUs: number, what: number): void => {
    if (what !== shown) events.counter(pid, name, atUs, what);
    shown = what;
  };
  for (let i = 0; i < changes.length; ) {
    const atUs = changes[i]!.atUs;
    const untilUs = atUs + stepUs;
    let peak = value;
    while (i < changes.length && changes[i]!.atUs < untilUs) {
      value += changes[i]!.by;
      if (value > peak || stepUs === 1) peak = value;
      i++;
    }
    show(atUs, peak);
    const nextUs = changes[i]?.atUs ?? Number.POSITIVE_INFINITY;
    if (value !== peak && nextUs > untilUs) show(untilUs, value);
  }
}
