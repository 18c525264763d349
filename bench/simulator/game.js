import { createTestScheduler } from 'frame-deadline/testing';
import { Chance } from './chance.js';

// A game on a machine that is not there: the scheduler's own code (submitting, rings, picking, claiming, frames,
// barriers, periods, telemetry) on a virtual clock; costs and disturbances are drawn from a seed.

/** The load. Times in microseconds. */
export const LOAD = {
  jobsPerFrame: 100,
  /** Standard deviation of the logarithm of a job's length. */
  sigma: 0.9,
  audioPeriodUs: 2667,
  audioUs: 500,
  audioSigma: 0.15,
  eventEveryUs: 1000,
  eventUs: 20,
  eventDeadlineUs: 4000,
  /** The main thread's own work in a frame, between the submits and the join. */
  mainThreadUs: 300,
};

const SECOND = 1e6;

/** What disturbs. `everyUs` on the average, lognormal lengths. */
export const SCENARIOS = {
  'nothing in the way': null,
  'GC, other processes': {
    /** Young-generation collections of the main thread. */
    hostGc: { everyUs: 0.2 * SECOND, medianUs: 800, sigma: 0.6 },
    /** Of a render worker, whose handlers allocate a little. */
    workerGc: { everyUs: 1 * SECOND, medianUs: 500, sigma: 0.6 },
    /** Another process runs where a thread of ours does: one turn of the kernel's scheduler. */
    preemption: { everyUs: 0.5 * SECOND, medianUs: 2000, sigma: 0.5 },
    /** The audio worker is real-time: others get in its way more rarely, and for shorter. */
    audioPreemption: { everyUs: 30 * SECOND, medianUs: 100, sigma: 0.5 },
  },
};

const AUDIO = new URL('./game.tasks.js', import.meta.url);
const load = () => import(AUDIO);

/**
 * Plays `seconds` of virtual time. `costs`: microseconds, see `constants.js`. `workUs`: mean work of a frame.
 * Returns the shares of missed audio blocks, input events and frames, and how busy the render workers were.
 */
export async function play({ cores, hz, workUs, seconds, scenario, seed, costs }) {
  const chance = new Chance(seed);
  const disturbed = SCENARIOS[scenario];
  const draw = ({ medianUs, sigma }) => chance.lognormal(medianUs, sigma);
  const stalled = (us, kind) => {
    const stall = disturbed?.[kind];
    return stall === undefined ? 0 : chance.stalls(us, stall.everyUs, () => draw(stall));
  };
  const renderWorkers = cores - 2;
  let busyUs = 0;
  // a job's cost on its worker: claim, stamps, telemetry, completion; with others at it, the lines that they fight for
  const perJobUs = costs.workerJobUs + (renderWorkers > 1 ? costs.contentionUs : 0);
  const onWorker = (us) => {
    const cost = us + perJobUs;
    const all = cost + stalled(cost, 'workerGc') + stalled(cost, 'preemption');
    busyUs += all;
    return chance.whole(all);
  };
  const medianUs = workUs / LOAD.jobsPerFrame / Math.exp(LOAD.sigma ** 2 / 2);
  const wakeupUs = () => Math.round(chance.lognormal(costs.wakeupMedianUs, costs.wakeupSigma));
  const scheduler = await createTestScheduler({
    usableCpus: cores,
    lanes: {
      audio: { load, periodic: { task: 'block', everyMs: LOAD.audioPeriodUs / 1000 } },
      input: { load, deadlineMs: LOAD.eventDeadlineUs / 1000 },
      render: { load, capacitySlots: 1024 },
    },
    workers: [{ lanes: ['audio'] }, { lanes: ['input', 'render'], count: renderWorkers }],
    wakeupUs,
    executionUs: {
      'audio.block': () => {
        const us = chance.lognormal(LOAD.audioUs, LOAD.audioSigma) + costs.workerJobUs;
        return chance.whole(us + stalled(us, 'audioPreemption'));
      },
      'input.event': () => onWorker(LOAD.eventUs),
      'render.part': () => onWorker(chance.lognormal(medianUs, LOAD.sigma)),
    },
  });
  const { part } = scheduler.lanes.render;
  const { event } = scheduler.lanes.input;

  // the main thread: what it does takes time in which workers go on and it hears of nothing
  let hostUs = 0;
  const spend = (us) => {
    hostUs += us;
    if (hostUs < 1) return;
    const whole = Math.floor(hostUs);
    hostUs -= whole;
    scheduler.inject.stallHost(whole + Math.round(stalled(whole, 'hostGc') + stalled(whole, 'preemption')));
  };
  let nextGcUs = disturbed === null ? Infinity : chance.exponential(disturbed.hostGc.everyUs);
  const collect = () => {
    if (scheduler.nowUs() < nextGcUs) return;
    nextGcUs = scheduler.nowUs() + chance.exponential(disturbed.hostGc.everyUs);
    scheduler.inject.stallHost(Math.round(draw(disturbed.hostGc)));
  };
  const submitParts = (frame, count) => {
    for (let i = 0; i < count; i++) {
      part.input.us = 0;
      frame.submit(part);
      spend(costs.submitUs);
    }
  };
  const over = new AbortController();
  const loop = scheduler.loop({ hz, signal: over.signal }, async (frame) => {
    collect();
    submitParts(frame, LOAD.jobsPerFrame / 2);
    frame.barrier();
    submitParts(frame, LOAD.jobsPerFrame / 2);
    spend(LOAD.mainThreadUs);
    await frame.join();
  });
  const events = async () => {
    const startUs = scheduler.nowUs();
    const live = [];
    for (let number = 1; !over.signal.aborted; number++) {
      const leftUs = startUs + number * LOAD.eventEveryUs - scheduler.nowUs();
      if (leftUs > 0) await scheduler.sleepUs(leftUs);
      collect();
      // it came at its time, whenever the main thread gets to it
      const lateUs = Math.max(0, scheduler.nowUs() - startUs - number * LOAD.eventEveryUs);
      event.input.number = number;
      const deadlineUs = Math.max(1, LOAD.eventDeadlineUs - lateUs);
      live.push(scheduler.submit(event, undefined, { deadlineMs: deadlineUs / 1000 }));
      spend(costs.submitUs);
      if (live.length > 8) live.shift().release();
    }
  };
  const eventsOver = events();
  const startUs = scheduler.nowUs();
  await scheduler.advanceMs(seconds * 1000);
  const tookUs = scheduler.nowUs() - startUs;
  over.abort();
  await scheduler.advanceMs(100);
  await Promise.all([loop.catch(() => {}), eventsOver]);
  const telemetry = scheduler.telemetry();
  const { lanes } = scheduler.snapshot();
  const [{ intendedTicks, droppedTicks, missedFrames, frames }] = telemetry.loops;
  const share = (misses, of) => (of === 0 ? 0 : (100 * misses) / of);
  const misses = ({ accepted, refused, misses: missed }) => share(missed + refused, accepted + refused);
  await scheduler.close();
  return {
    frames: intendedTicks,
    frameMissPercent: share(missedFrames + droppedTicks, frames + droppedTicks),
    audioMissPercent: misses(lanes.audio),
    inputMissPercent: misses(lanes.input),
    busyPercent: (100 * busyUs) / tookUs / renderWorkers,
    jobs: lanes.render.accepted,
  };
}
