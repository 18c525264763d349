import type { JobTrace } from '../../telemetry/job-trace-data.js';
import type { Miss, MissSegments } from '../../telemetry/telemetry-data.js';
import { COLOUR_BAD, COLOUR_GREY, COLOUR_TERRIBLE, type TraceEvents, type Track, TrackGroup } from './track.js';

/**
 * A track per lane: each missed job from its intended release to its finish, with the segments of its response time in it.
 * Wake-up and waiting stand where they were; of what went on inside the job only the lengths are known, not the places.
 */
export function writeMissTracks(events: TraceEvents, pid: number, trace: JobTrace): void {
  const byLane = new Map<string, Miss[]>();
  for (const miss of trace.misses) {
    const ofLane = byLane.get(miss.lane);
    if (ofLane === undefined) byLane.set(miss.lane, [miss]);
    else ofLane.push(miss);
  }
  for (const [lane, misses] of byLane) {
    const group = new TrackGroup(events, pid, `${lane}: misses`);
    misses.sort((a, b) => a.releaseAtUs - b.releaseAtUs);
    for (const miss of misses) writeMiss(group.trackFor(miss.releaseAtUs, miss.finishAtUs), miss);
  }
}

function writeMiss(track: Track, miss: Miss): void {
  const { task, job, frame, outcome, cause, segments, releaseAtUs, finishAtUs, deadlineAtUs } = miss;
  track.slice({
    name: `${task}: ${cause}${miss.periods > 1 ? `, ${miss.periods} periods` : ''}`,
    category: 'miss',
    startUs: releaseAtUs,
    endUs: finishAtUs,
    colour: outcome === 'lost' || outcome === 'failed' ? COLOUR_TERRIBLE : COLOUR_BAD,
    args: {
      task,
      job,
      frame,
      outcome,
      cause,
      causes: miss.causes,
      flags: miss.flags,
      worker: miss.worker,
      tardinessUs: miss.tardinessUs,
      lateSubmitUs: miss.lateSubmitUs,
      segments,
      culprit: miss.culprit,
      periods: miss.periods,
    },
  });
  writeSegments(track, segments, miss);
  if (deadlineAtUs >= releaseAtUs && deadlineAtUs <= finishAtUs)
    track.instant('deadline', 'miss', deadlineAtUs, { cause });
}

function writeSegments(track: Track, segments: MissSegments, { releaseAtUs, startAtUs, finishAtUs }: Miss): void {
  const startUs = Math.min(Math.max(startAtUs ?? finishAtUs, releaseAtUs), finishAtUs);
  // an idle worker wakes up first, and then may take jobs that come before this one
  const before = [
    ['wakeup', segments.wakeupUs],
    ['waiting behind', segments.waitingBehindUs],
  ] as const;
  const inside = [
    ['on CPU', segments.onCpuUs ?? 0],
    ['preempted', segments.preemptedUs ?? 0],
    ['gc', segments.gcUs ?? 0],
  ] as const;
  let atUs = releaseAtUs;
  for (const [name, us] of before) atUs = writeSegment(track, name, atUs, us, startUs);
  atUs = startUs;
  for (const [name, us] of inside) atUs = writeSegment(track, name, atUs, us, finishAtUs);
}

/** Returns where it ends: at `limitUs` at the latest. */
function writeSegment(track: Track, name: string, atUs: number, us: number, limitUs: number): number {
  const endUs = Math.min(atUs + us, limitUs);
  if (endUs <= atUs) return atUs;
  track.slice({ name, category: 'segment', startUs: atUs, endUs, colour: COLOUR_GREY, args: { lengthUs: us } });
  return endUs;
}
