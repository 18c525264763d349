import type { Description } from '../../../scheduler/describe.js';
import type { LaneSnapshot, Snapshot } from '../../../scheduler/snapshot.js';
import { CONTROL, type StageControl } from '../stage/control.js';
import type { LiveLane, LiveModel } from '../terminal/live-model.js';
import type { FrameRecorder } from './frame-recorder.js';

/** Makes what the live view shows from snapshots of the scheduler. Rates are since the call before. */
export class LiveModelSource {
  private readonly control: StageControl;
  private readonly frames: FrameRecorder;
  private readonly description: Description;
  private readonly bufferBlocks: number;
  private readonly totalS: number;
  private previous: Snapshot | null;

  constructor(
    control: StageControl,
    frames: FrameRecorder,
    description: Description,
    bufferBlocks: number,
    totalS: number,
  ) {
    this.control = control;
    this.frames = frames;
    this.description = description;
    this.bufferBlocks = bufferBlocks;
    this.totalS = totalS;
    this.previous = null;
  }

  model(snapshot: Snapshot, elapsedS: number): LiveModel {
    const { control, previous } = this;
    const played = control.load(CONTROL.playedBlocks);
    const xruns = control.load(CONTROL.xruns);
    const produced = control.load(CONTROL.producedBlocks);
    const loop = snapshot.loops.at(-1);
    const windowS = previous === null ? 0 : (snapshot.atUs - previous.atUs) / 1e6;
    this.previous = snapshot;
    return {
      lanes: Object.entries(snapshot.lanes).map(([name, lane]) => {
        const done = lane.accepted - lane.inFlight;
        const before = previous?.lanes[name];
        const doneBefore = before === undefined ? done : before.accepted - before.inFlight;
        return liveLane(name, lane, windowS > 0 ? (done - doneBefore) / windowS : 0);
      }),
      audio: {
        xruns,
        bufferFillBlocks: Math.max(0, Math.min(this.bufferBlocks, produced - (played - xruns))),
        bufferBlocks: this.bufferBlocks,
      },
      frames: {
        intended: loop?.intendedTicks ?? 0,
        rendered: loop?.frames ?? 0,
        missed: (loop?.missedFrames ?? 0) + (loop?.droppedTicks ?? 0),
        recentFrameUs: this.frames.recentFrameUs(),
        deadlineUs: snapshot.lanes['render']!.deadlineMs * 1000,
      },
      workers: this.description.workers.map(({ name, thread }) => ({
        name,
        priority: priorityInWords(thread?.priority.effective ?? 'normal', thread?.niceness ?? null),
        cpus: thread?.cpus.effective ?? this.description.allowedCpus,
      })),
      elapsedS: Math.min(elapsedS, this.totalS),
      totalS: this.totalS,
    };
  }
}

function liveLane(name: string, lane: LaneSnapshot, jobsPerSecond: number): LiveLane {
  const responseUs = lane.responseUs.p99;
  return {
    name,
    jobsPerSecond,
    waitingUsP50: lane.queueingUs.p50 ?? 0,
    waitingUsP99: lane.queueingUs.p99 ?? 0,
    executionUsP50: lane.executionUs.p50 ?? 0,
    executionUsP99: lane.executionUs.p99 ?? 0,
    timeToDeadlineUsP1: responseUs === null ? null : lane.deadlineMs * 1000 - responseUs,
    misses: lane.misses,
    missCauses: lane.missCauses,
  };
}

function priorityInWords(effective: string, niceness: number | null): string {
  return effective === 'high' && niceness !== null ? `nice ${niceness}` : effective;
}
