import type { MissCause, Outcome } from '../../src/telemetry/outcomes.js';
import type { Culprit, Miss, MissSegments, ProbeReport, WorkerTelemetry } from '../../src/telemetry/telemetry-data.js';
import type { FixtureLane, FixtureTask } from './fixture-lane.js';

type Parts = { -readonly [P in keyof MissSegments]: number };
/** The part of the response time that each cause makes long. */
const PART_OF: Record<MissCause, keyof Parts> = {
  lateSubmit: 'onCpuUs',
  waitingBehind: 'waitingBehindUs',
  wakeup: 'wakeupUs',
  preempted: 'preemptedUs',
  gc: 'gcUs',
  overrun: 'onCpuUs',
  hung: 'onCpuUs',
  crashed: 'onCpuUs',
  shed: 'waitingBehindUs',
  unknown: 'unattributedUs',
};
const HANG_US = 250_000;
/** This worker lacks the signals for `preemptedUs` and `onCpuUs`. */
const WITHOUT_PROBES = 'render-2';

export interface JobPlan {
  readonly lane: FixtureLane;
  readonly task: FixtureTask;
  readonly worker: string;
  readonly submitAtUs: number;
  readonly deadlineAtUs: number;
  readonly meanExecutionUs: number;
  readonly frame: number | null;
  /** What makes this job miss, if anything. */
  readonly fault: MissCause | undefined;
}

/** Runs planned jobs and writes down what a scheduler would have measured of them. */
export class FixtureWorkers {
  private readonly uniform: () => number;
  private readonly skewed: (meanUs: number) => number;
  private readonly jobs: Record<string, number> = {};

  constructor(uniform: () => number, skewed: (meanUs: number) => number) {
    this.uniform = uniform;
    this.skewed = skewed;
  }

  run(plan: JobPlan): { finishAtUs: number; met: boolean } {
    const { lane, task, fault, submitAtUs, deadlineAtUs } = plan;
    const parts = this.partsOf(plan);
    const queueingUs = parts.wakeupUs + parts.waitingBehindUs;
    const executionUs = parts.gcUs + parts.preemptedUs + parts.onCpuUs + parts.unattributedUs;
    const finishAtUs = submitAtUs + queueingUs + executionUs;
    const met = finishAtUs <= deadlineAtUs;
    const lost = fault === 'hung' || fault === 'crashed';
    const outcome: Outcome = lost ? 'lost' : met ? 'onTime' : 'late';
    const unseen = plan.worker === WITHOUT_PROBES && fault === 'preempted';
    const cause = met ? null : unseen ? 'unknown' : (fault ?? 'unknown');
    const job = lane.jobs++;
    this.jobs[plan.worker] = (this.jobs[plan.worker] ?? 0) + 1;
    task.end(outcome, cause);
    lane.follow(met);
    const { samples } = task;
    if (parts.waitingBehindUs === 0) samples.wakeupUs.record(parts.wakeupUs);
    samples.queueingUs.record(queueingUs);
    if (!lost) {
      samples.executionUs.record(executionUs);
      samples.responseUs.record(finishAtUs - submitAtUs);
    }
    if (cause !== null) {
      samples.tardinessUs.record(finishAtUs - deadlineAtUs);
      lane.misses.push(this.missOf(plan, job, outcome, cause, parts, finishAtUs));
    }
    return { finishAtUs, met };
  }

  /** Periods that were not released, from `fromUs`, because the worker was away. */
  skip(lane: FixtureLane, task: FixtureTask, fromUs: number, periodUs: number, periods: number): void {
    const deadlineAtUs = fromUs + periodUs;
    const finishAtUs = fromUs + periods * periodUs;
    task.end('expired', 'hung', periods);
    for (let period = 0; period < periods; period++) lane.follow(false);
    lane.misses.push({
      lane: lane.name,
      task: task.name,
      worker: null,
      job: null,
      frame: null,
      outcome: 'expired',
      cause: 'hung',
      causes: ['hung'],
      flags: [],
      submitAtUs: fromUs,
      releaseAtUs: fromUs,
      startAtUs: null,
      finishAtUs,
      deadlineAtUs,
      tardinessUs: finishAtUs - deadlineAtUs,
      segments: {
        wakeupUs: 0,
        waitingBehindUs: 0,
        gcUs: null,
        preemptedUs: null,
        onCpuUs: null,
        unattributedUs: finishAtUs - fromUs,
      },
      lateSubmitUs: 0,
      culprit: null,
      periods,
    });
  }

  private partsOf({ fault, meanExecutionUs, submitAtUs, deadlineAtUs }: JobPlan): Parts {
    const { uniform, skewed } = this;
    const parts: Parts = {
      wakeupUs: skewed(14),
      waitingBehindUs: uniform() < 0.1 ? skewed(20) : 0,
      gcUs: 0,
      preemptedUs: 0,
      onCpuUs: skewed(meanExecutionUs),
      unattributedUs: skewed(1),
    };
    if (fault === undefined || fault === 'lateSubmit') return parts;
    const tooLong = (deadlineAtUs - submitAtUs) * (0.95 + 0.6 * uniform());
    parts[PART_OF[fault]] += fault === 'hung' ? HANG_US : tooLong;
    return parts;
  }

  private missOf(
    plan: JobPlan,
    job: number,
    outcome: Outcome,
    cause: MissCause,
    parts: Parts,
    finishAtUs: number,
  ): Miss {
    const { lane, task, submitAtUs, deadlineAtUs } = plan;
    const remainingUs = deadlineAtUs - submitAtUs;
    return {
      lane: lane.name,
      task: task.name,
      worker: outcome === 'lost' ? null : plan.worker,
      job,
      frame: plan.frame,
      outcome,
      cause,
      causes: parts.waitingBehindUs > 0 && cause !== 'waitingBehind' ? [cause, 'waitingBehind'] : [cause],
      flags: this.uniform() < 0.1 ? ['backlog'] : [],
      submitAtUs,
      releaseAtUs: submitAtUs,
      startAtUs: submitAtUs + parts.wakeupUs + parts.waitingBehindUs,
      finishAtUs,
      deadlineAtUs,
      tardinessUs: finishAtUs - deadlineAtUs,
      segments: plan.worker === WITHOUT_PROBES || outcome === 'lost' ? withoutProbes(parts) : parts,
      lateSubmitUs: cause === 'lateSubmit' ? Math.max(plan.meanExecutionUs * 1.3 - remainingUs, 1) : 0,
      culprit: culpritOf(plan, job, cause, parts),
      periods: 1,
    };
  }

  read(): WorkerTelemetry[] {
    const schedstat: ProbeReport = { source: 'schedstat', reason: null };
    const profiler: ProbeReport = { source: 'v8.GCProfiler', reason: null };
    const none: ProbeReport = { source: null, reason: '/proc/thread-self/schedstat cannot be read' };
    const worker = (name: string, lanes: string[], index: number): WorkerTelemetry => ({
      name,
      lanes,
      state: name === 'audio-0' ? 'restarting' : 'serving',
      jobs: this.jobs[name] ?? 0,
      running: name === 'shared-1' ? { lane: 'input', task: 'mapGesture', forUs: 21.5 } : null,
      priority: name === 'audio-0' ? 'SCHED_RR 10' : 'niceness -11',
      cpus: [index + 1],
      policy: name === 'audio-0' ? 'SCHED_RR' : 'SCHED_OTHER',
      niceness: name === 'audio-0' ? null : -11,
      probes:
        name === WITHOUT_PROBES
          ? { preempted: none, gc: profiler, onCpu: none }
          : { preempted: schedstat, gc: profiler, onCpu: schedstat },
      ...(name === 'shared-1' ? { slackCollections: { young: 240, full: 3, totalMs: 61 } } : {}),
    });
    return [
      worker('audio-0', ['audio'], 0),
      worker('shared-1', ['input', 'render'], 1),
      worker('render-2', ['render'], 2),
    ];
  }
}

/** A signal that is missing is null, and its time is not attributed. */
function withoutProbes(parts: Parts): MissSegments {
  return {
    ...parts,
    preemptedUs: null,
    onCpuUs: null,
    unattributedUs: parts.unattributedUs + parts.preemptedUs + parts.onCpuUs,
  };
}

function culpritOf(plan: JobPlan, job: number, cause: MissCause, parts: Parts): Culprit | null {
  if (cause === 'lateSubmit') {
    const task = plan.frame === null ? 'event loop' : 'frame callback';
    return { kind: 'mainThread', lane: 'main', task, job: null, frame: plan.frame, executionUs: 13_000 };
  }
  if (cause !== 'waitingBehind') return null;
  const executionUs = parts.waitingBehindUs * 0.97;
  return plan.lane.name === 'input'
    ? { kind: 'job', lane: 'render', task: 'composite', job: job % 500, frame: job % 600, executionUs }
    : { kind: 'job', lane: 'render', task: 'drawTiles', job: job - 1, frame: plan.frame, executionUs };
}
