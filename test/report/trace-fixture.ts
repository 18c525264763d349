import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { JobRecord, JobTrace } from '../../src/telemetry/job-trace-data.js';
import type { FrameRecord, Miss } from '../../src/telemetry/telemetry-data.js';

const FRAME_US = 50_000 / 3;
const DEADLINE_US = 16_000;

/**
 * What a scheduler would remember of so many frames: a render loop of 60 Hz with four jobs a frame on two workers, audio at
 * 375 Hz on a third. Every tenth frame is too long (its last job misses), every 25th tick is dropped, one job is lost and one
 * was cancelled before its start. The same for the same seed.
 */
export function makeJobTrace(frames = 60, seed = 1, names: readonly string[] = ['mix', 'tile']): JobTrace {
  const random = xoroshiro128plus(seed | 0);
  const between = (low: number, high: number): number => Math.round(low + (high - low) * uniformFloat64(random));
  const audio: JobRecord[] = [];
  const renders: [JobRecord[], JobRecord[]] = [[], []];
  const ended: { main: JobRecord[]; supervisor: JobRecord[] } = { main: [], supervisor: [] };
  const records: FrameRecord[] = [];
  const misses: Miss[] = [];
  const endUs = Math.ceil(frames * FRAME_US);
  for (let period = 0; period * 2667 < endUs; period++) {
    const releaseAtUs = period * 2667;
    const startAtUs = releaseAtUs + between(5, 40);
    audio.push({
      task: 0,
      job: period,
      frame: period,
      outcome: 'onTime',
      cause: null,
      submitAtUs: releaseAtUs + 4,
      releaseAtUs,
      startAtUs,
      finishAtUs: startAtUs + between(300, 900),
      deadlineAtUs: releaseAtUs + 2667,
      wakeupUs: startAtUs - releaseAtUs,
      ranOn: 0,
    });
  }
  let job = 0;
  const freeAtUs = [0, 0];
  for (let number = 0; number < frames; number++) {
    const tickAtUs = Math.round(number * FRAME_US);
    const deadlineAtUs = tickAtUs + DEADLINE_US;
    const common = { loop: 0, number, tickAtUs, deadlineAtUs, ticks: 1 };
    if (number % 25 === 24) {
      const none = { calledAtUs: null, submittedAtUs: null, finishedAtUs: null, jobs: 0, misses: 0 };
      records.push({ ...common, ...none, outcome: 'dropped' });
      continue;
    }
    const calledAtUs = tickAtUs + between(10, 200);
    const submittedAtUs = calledAtUs + between(20, 100);
    let finishedAtUs = submittedAtUs;
    let missed = 0;
    for (let tile = 0; tile < 4; tile++) {
      const on = tile % 2;
      const submitAtUs = Math.min(submittedAtUs, calledAtUs + tile * 3);
      const startAtUs = Math.max(freeAtUs[on]!, submitAtUs + between(5, 30));
      const long = number % 10 === 9 && tile === 3;
      const finishAtUs = startAtUs + (long ? 17_000 : between(500, 3000));
      const lost = number === 33 && tile === 2;
      const outcome = lost ? 'lost' : finishAtUs > deadlineAtUs ? 'late' : 'onTime';
      const cause = lost ? 'crashed' : outcome === 'late' ? 'overrun' : null;
      const record: JobRecord = {
        task: 1,
        job: job++,
        frame: number,
        outcome,
        cause,
        submitAtUs,
        releaseAtUs: submitAtUs,
        startAtUs,
        finishAtUs,
        deadlineAtUs,
        wakeupUs: Math.min(20, startAtUs - submitAtUs),
        ranOn: 1 + on,
      };
      freeAtUs[on] = finishAtUs;
      finishedAtUs = Math.max(finishedAtUs, finishAtUs);
      (lost ? ended.supervisor : renders[on]!).push(record);
      if (cause !== null) {
        missed++;
        misses.push(missOf(record, names[1]!));
      }
    }
    records.push({
      ...common,
      outcome: missed > 0 ? 'late' : 'onTime',
      calledAtUs,
      submittedAtUs,
      finishedAtUs,
      jobs: 4,
      misses: missed,
    });
  }
  ended.main.push({
    task: 1,
    job: job++,
    frame: null,
    outcome: 'cancelled',
    cause: null,
    submitAtUs: 5000,
    releaseAtUs: 5000,
    startAtUs: null,
    finishAtUs: 5200,
    deadlineAtUs: 21_000,
    wakeupUs: 0,
    ranOn: null,
  });
  return {
    schemaVersion: 1,
    epochUnixMs: 1_760_000_000_000,
    toUs: endUs,
    tasks: [
      { lane: 'audio', name: names[0]!, periodic: true },
      { lane: 'render', name: names[1]!, periodic: false },
    ],
    threads: [
      { name: 'audio', jobs: audio, overwritten: 3 },
      { name: 'render 1', jobs: renders[0], overwritten: 0 },
      { name: 'render 2', jobs: renders[1], overwritten: 0 },
      { name: 'main', jobs: ended.main, overwritten: 0 },
      { name: 'supervisor', jobs: ended.supervisor, overwritten: 0 },
    ],
    loops: [{ id: 0, hz: 60 }],
    frames: records,
    misses,
    xruns: [{ stream: 'out', kind: 'underrun', atUs: 12_345, items: 128 }],
    gc: [{ thread: 'render 1', atUs: 500_000, durationUs: 1200, kind: 'scavenge' }],
  };
}

function missOf(job: JobRecord, task: string): Miss {
  const { outcome, cause, submitAtUs, releaseAtUs, startAtUs, finishAtUs, deadlineAtUs } = job;
  const waitingBehindUs = startAtUs! - releaseAtUs - job.wakeupUs;
  const runUs = finishAtUs - startAtUs!;
  return {
    lane: 'render',
    task,
    worker: 'render 2',
    job: job.job,
    frame: job.frame,
    outcome,
    cause: cause!,
    causes: [cause!],
    flags: [],
    submitAtUs,
    releaseAtUs,
    startAtUs,
    finishAtUs,
    deadlineAtUs,
    tardinessUs: finishAtUs - deadlineAtUs,
    segments: {
      wakeupUs: job.wakeupUs,
      waitingBehindUs,
      gcUs: 100,
      preemptedUs: null,
      onCpuUs: runUs - 150,
      unattributedUs: 50,
    },
    lateSubmitUs: 0,
    culprit: null,
    periods: 1,
  };
}
