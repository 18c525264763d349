import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { MISS_CAUSES, type MissCause } from '../../src/telemetry/outcomes.js';
import type { FrameRecord, Telemetry } from '../../src/telemetry/telemetry-data.js';
import { FixtureLane, FixtureTask, Samples, zeroes } from './fixture-lane.js';
import { FixtureWorkers } from './fixture-workers.js';

const RUN_US = 10_000_000;
const HOST_DEADLINE_US = 16_000;
const AUDIO_PERIOD_US = 8000 / 3;
const FRAME_PERIOD_US = 50_000 / 3;

/** Which jobs of a lane go wrong, and how: by job number (a periodic lane's and input's), or by frame (render's). */
const AUDIO_FAULTS: Record<number, MissCause> = {
  211: 'gc',
  640: 'preempted',
  641: 'preempted',
  900: 'wakeup',
  1300: 'overrun',
  1301: 'overrun',
  1302: 'overrun',
  2200: 'gc',
  2750: 'hung',
  3300: 'unknown',
};
const INPUT_FAULTS: Record<number, MissCause> = {
  500: 'waitingBehind',
  1700: 'waitingBehind',
  2410: 'lateSubmit',
  4100: 'wakeup',
  6000: 'crashed',
  7005: 'gc',
  8800: 'waitingBehind',
};
const RENDER_FAULTS: Record<number, MissCause> = {
  31: 'overrun',
  90: 'waitingBehind',
  140: 'lateSubmit',
  221: 'gc',
  300: 'overrun',
  301: 'overrun',
  302: 'preempted',
  377: 'lateSubmit',
  410: 'preempted',
  450: 'wakeup',
  505: 'hung',
  560: 'overrun',
};
/** Ticks that were dropped: the first and how many in a row, with what held the main thread. */
const DROPPED: Record<number, { ticks: number; cause: MissCause }> = {
  180: { ticks: 1, cause: 'gc' },
  420: { ticks: 3, cause: 'overrun' },
};
/**
 * What a scheduler would measure in 10 s of audio at 375 Hz (periodic), input at 1 kHz and a render loop of 60 Hz with
 * four tile jobs and one composite a frame: 4 dropped ticks, and misses of every cause in every shape (runs of misses,
 * unserved periods, a lost job, missing signals). The same for the same seed. All counts agree with each other and the
 * histograms come from the package's own recording and reading.
 */
export function makeTelemetry(seed = 1): Telemetry {
  const random = xoroshiro128plus(seed | 0);
  const uniform = () => uniformFloat64(random);
  /** Right-skewed around its mean, as latencies are. */
  const skewed = (meanUs: number) => meanUs * (0.6 + 0.3 * uniform() - 0.13 * Math.log(1 - uniform()));

  const audio = new FixtureLane('audio', AUDIO_PERIOD_US, [new FixtureTask('renderBlock', AUDIO_PERIOD_US, 1200)]);
  const input = new FixtureLane('input', null, [new FixtureTask('mapGesture', 1000, null)]);
  const tiles = new FixtureTask('drawTiles', HOST_DEADLINE_US, 4000);
  const composite = new FixtureTask('composite', HOST_DEADLINE_US, 3000);
  const render = new FixtureLane('render', null, [tiles, composite]);
  const workers = new FixtureWorkers(uniform, skewed);

  runAudio(audio, workers);
  for (let job = 0; job < 10_000; job++) {
    const stampedAtUs = job * 1000 + 40;
    const fault = INPUT_FAULTS[job];
    if (job === 3000 || job === 3001) {
      input.tasks[0]!.refusals.full++;
      continue;
    }
    // its deadline counts from the event, so a late submit leaves less time
    const submitAtUs = stampedAtUs + (fault === 'lateSubmit' ? 985 : 2 * uniform());
    const deadlineAtUs = stampedAtUs + 1000;
    workers.run({
      lane: input,
      task: input.tasks[0]!,
      worker: 'shared-1',
      submitAtUs,
      deadlineAtUs,
      meanExecutionUs: 35,
      frame: null,
      fault,
    });
  }
  input.tasks[0]!.inFlight = 1;

  const frames: FrameRecord[] = [];
  const loop = {
    tickErrorUs: new Samples(),
    submittingUs: new Samples(),
    frameUs: new Samples(),
    intervalUs: new Samples(),
  };
  const droppedCauses = zeroes<MissCause>(MISS_CAUSES);
  let droppedTicks = 0;
  let lastCalledAtUs: number | null = null;
  for (let number = 0; number < 600; number++) {
    const tickAtUs = number * FRAME_PERIOD_US;
    const deadlineAtUs = tickAtUs + HOST_DEADLINE_US;
    const none = { loop: 0, number, tickAtUs, deadlineAtUs };
    const dropped = DROPPED[number];
    if (dropped !== undefined) {
      frames.push({
        ...none,
        outcome: 'dropped',
        calledAtUs: null,
        submittedAtUs: null,
        finishedAtUs: null,
        jobs: 0,
        misses: 0,
        ticks: dropped.ticks,
      });
      droppedTicks += dropped.ticks;
      droppedCauses[dropped.cause] += dropped.ticks;
      number += dropped.ticks - 1;
      continue;
    }
    const fault = RENDER_FAULTS[number];
    const calledAtUs = tickAtUs + (fault === 'lateSubmit' ? 12_800 + 900 * uniform() : skewed(90));
    let submitAtUs = calledAtUs;
    let finishedAtUs = 0;
    let misses = 0;
    for (let tile = 0; tile < 4; tile++) {
      submitAtUs += skewed(6);
      const tileFault = tile < 2 || fault === 'lateSubmit' ? fault : undefined;
      const { finishAtUs, met } = workers.run({
        lane: render,
        task: tiles,
        worker: tile % 2 === 0 ? 'shared-1' : 'render-2',
        submitAtUs,
        deadlineAtUs,
        meanExecutionUs: 3500,
        frame: number,
        fault: tileFault,
      });
      finishedAtUs = Math.max(finishedAtUs, finishAtUs);
      if (!met) misses++;
    }
    const compositeAtUs = Math.min(finishedAtUs, submitAtUs + 5000);
    const last = workers.run({
      lane: render,
      task: composite,
      worker: 'shared-1',
      submitAtUs: compositeAtUs,
      deadlineAtUs,
      meanExecutionUs: 1800,
      frame: number,
      fault: fault === 'lateSubmit' ? fault : undefined,
    });
    if (!last.met) misses++;
    finishedAtUs = Math.max(finishedAtUs, last.finishAtUs);
    frames.push({
      ...none,
      outcome: misses === 0 ? 'onTime' : 'late',
      calledAtUs,
      submittedAtUs: submitAtUs,
      finishedAtUs,
      jobs: 5,
      misses,
      ticks: 1,
    });
    loop.tickErrorUs.record(calledAtUs - tickAtUs);
    loop.submittingUs.record(submitAtUs - tickAtUs);
    loop.frameUs.record(finishedAtUs - tickAtUs);
    if (lastCalledAtUs !== null) loop.intervalUs.record(calledAtUs - lastCalledAtUs);
    lastCalledAtUs = calledAtUs;
  }

  const called = frames.filter((frame) => frame.outcome !== 'dropped');
  return {
    schemaVersion: 1,
    fromUs: 0,
    toUs: RUN_US,
    toUnixMs: Date.UTC(2026, 0, 15, 12, 0, 10),
    environment: {
      runtime: 'Node.js 20.20.2',
      platform: 'linux x64',
      cpu: 'Example CPU 4.2 GHz',
      allowedCpus: [0, 1, 2, 3],
    },
    lanes: [audio, input, render].map((lane) => lane.read()),
    loops: [
      {
        id: 0,
        hz: 60,
        deadlineUs: HOST_DEADLINE_US,
        running: true,
        intendedTicks: called.length + droppedTicks,
        droppedTicks,
        frames: called.length,
        missedFrames: called.filter((frame) => frame.outcome === 'late').length,
        droppedCauses,
        tickErrorUs: loop.tickErrorUs.data(),
        submittingUs: loop.submittingUs.data(),
        frameUs: loop.frameUs.data(),
        intervalUs: loop.intervalUs.data(),
      },
    ],
    workers: workers.read(),
    misses: [...audio.misses, ...input.misses, ...render.misses].sort((a, b) => a.finishAtUs - b.finishAtUs),
    missesOverwritten: 0,
    frames,
    framesOverwritten: 0,
  };
}

/** Every period is released in time; after the hung job the worker is away for 93 periods. */
function runAudio(audio: FixtureLane, workers: FixtureWorkers): void {
  const task = audio.tasks[0]!;
  const unserved = 93;
  for (let period = 0; period < RUN_US / AUDIO_PERIOD_US - 1; period++) {
    const submitAtUs = period * AUDIO_PERIOD_US;
    const deadlineAtUs = submitAtUs + AUDIO_PERIOD_US;
    const fault = AUDIO_FAULTS[period];
    workers.run({
      lane: audio,
      task,
      worker: 'audio-0',
      submitAtUs,
      deadlineAtUs,
      meanExecutionUs: 420,
      frame: null,
      fault,
    });
    if (fault !== 'hung') continue;
    workers.skip(audio, task, deadlineAtUs, AUDIO_PERIOD_US, unserved);
    period += unserved;
  }
}
