import type { JobTrace } from '../../telemetry/job-trace-data.js';
import type { FrameRecord } from '../../telemetry/telemetry-data.js';
import { COLOUR_BAD, COLOUR_GOOD, COLOUR_GREY, type TraceEvents, TrackGroup } from './track.js';

/**
 * Two tracks per loop, as Android draws its frame timeline: `expected` from the intended tick to the deadline, `actual` from
 * the intended tick to the last finish, coloured by outcome.
 */
export function writeFrameTracks(events: TraceEvents, pid: number, trace: JobTrace): void {
  const byLoop = new Map<number, FrameRecord[]>();
  for (const frame of trace.frames) {
    const ofLoop = byLoop.get(frame.loop);
    if (ofLoop === undefined) byLoop.set(frame.loop, [frame]);
    else ofLoop.push(frame);
  }
  for (const [loop, frames] of [...byLoop].sort(([a], [b]) => a - b)) {
    const hz = trace.loops.find(({ id }) => id === loop)?.hz;
    const name = loop < 0 ? 'frames of the host' : `loop ${loop}${hz === undefined ? '' : ` (${hz} Hz)`}`;
    frames.sort((a, b) => a.tickAtUs - b.tickAtUs);
    writeExpected(new TrackGroup(events, pid, `${name}: expected`), frames);
    writeActual(new TrackGroup(events, pid, `${name}: actual`), frames);
  }
}

function writeExpected(group: TrackGroup, frames: readonly FrameRecord[]): void {
  for (const { number, tickAtUs, deadlineAtUs, ticks } of frames) {
    const several = ticks > 1 ? ` and ${ticks - 1} more` : '';
    group.trackFor(tickAtUs, deadlineAtUs).slice({
      name: `frame ${number}${several}`,
      category: 'frame',
      startUs: tickAtUs,
      endUs: deadlineAtUs,
      colour: COLOUR_GREY,
      args: { frame: number, ticks },
    });
  }
}

function writeActual(group: TrackGroup, frames: readonly FrameRecord[]): void {
  for (const frame of frames) {
    const { number, outcome, tickAtUs, calledAtUs, submittedAtUs, deadlineAtUs, ticks } = frame;
    if (calledAtUs === null) {
      const track = group.trackFor(tickAtUs, tickAtUs);
      const name = ticks > 1 ? `dropped: ${ticks} frames` : 'dropped';
      track.instant(name, 'frame,miss', tickAtUs, { frame: number, ticks, deadlineAtUs });
      continue;
    }
    const endUs = Math.max(calledAtUs, submittedAtUs ?? calledAtUs, frame.finishedAtUs ?? calledAtUs);
    const track = group.trackFor(tickAtUs, endUs);
    track.slice({
      name: outcome === 'onTime' ? `frame ${number}` : `${outcome} frame ${number}`,
      category: outcome === 'onTime' ? 'frame' : 'frame,miss',
      startUs: tickAtUs,
      endUs,
      colour: outcome === 'onTime' ? COLOUR_GOOD : COLOUR_BAD,
      args: {
        frame: number,
        outcome,
        jobs: frame.jobs,
        misses: frame.misses,
        calledAfterUs: calledAtUs - tickAtUs,
        deadlineAtUs,
        timeToDeadlineUs: deadlineAtUs - endUs,
      },
    });
    if (submittedAtUs === null) continue;
    track.slice({ name: 'submitting', category: 'frame', startUs: calledAtUs, endUs: submittedAtUs });
  }
}
