import { KINDS, MAX_JOBS, namesOf } from './catalog.js';
import { planOptions } from './plan-options.js';
import { randomOfRound } from './random.js';

/** @typedef {import('./random.js').Random} Random */
/** @typedef {import('./plan-options.js').PlannedOptions} PlannedOptions */

/**
 * @typedef {object} PlannedJob
 * @property {number} id
 * @property {string} lane
 * @property {string} task
 * @property {number} us
 * @property {boolean} direct written through `task.input`
 * @property {number | null} deadlineMs of a single job
 */
/** @typedef {PlannedJob[][]} Stages jobs, a barrier between one list and the next */
/** @typedef {'finished' | 'deadline' | 'poll' | 'sync' | 'syncDeadline' | 'help' | 'cancel'} Join */
/**
 * @typedef {{ atMs: number } & (
 *   | { kind: 'frame', deadlineMs: number, stages: Stages, join: Join, signal: number | null, joinSignal: number | null }
 *   | { kind: 'singles', jobs: PlannedJob[], keep: 'await' | 'release' | 'forget' | 'cancel', signal: number | null }
 *   | { kind: 'loop', hz: number, deadlineMs: number | null, ticks: Stages[], join: Join, signal: number | null }
 *   | { kind: 'abort', signal: number }
 *   | { kind: 'stallMain' | 'stallSupervisor' | 'stop', ms: number }
 *   | { kind: 'terminate', nth: number }
 *   | { kind: 'reload', lane: string, drainMs: number, module: 'same' | 'other' | 'throws' | 'missing' | 'exits' }
 *   | { kind: 'look' }
 *   | { kind: 'serve', clients: number }
 *   | { kind: 'collect' }
 *   | { kind: 'close', drainMs: number }
 * )} Action
 */
/**
 * @typedef {object} Plan
 * @property {number} seed
 * @property {number} round
 * @property {string} temper
 * @property {PlannedOptions} options
 * @property {Action[]} actions in order of time
 * @property {number} durationMs
 * @property {number} drainMs of the close at the end
 * @property {number} signals how many there are
 * @property {number} jobs
 * @property {{ kind: 'abort' | 'terminate', atMs: number, nth: number } | null} startFault what goes wrong while it is made
 */

const TEMPERS = { calm: 2, failing: 1, hanging: 3, dying: 3, all: 5, overload: 2, helping: 1 };
const FAMILIES = /** @type {const} */ ({
  calm: [],
  failing: [],
  hanging: ['hang'],
  dying: ['death'],
  all: ['hang', 'death'],
  overload: [],
  helping: [],
});

/** Everything that a round does, by its seed and number alone. @returns {Plan} */
export function planRound(/** @type {number} */ seed, /** @type {number} */ round) {
  const random = randomOfRound(seed, round);
  const temper = /** @type {keyof typeof FAMILIES} */ (random.weighted(TEMPERS));
  const families = FAMILIES[temper];
  const fatal = namesOf(...families);
  // one that needs limits of memory is chosen for the whole round
  const exhausts = families.some((family) => family === 'death') && random.chance(20);
  const fatalTasks = fatal.filter((name) => name !== 'exhaust' || exhausts);
  const options = planOptions(random, temper, { hangs: families.some((family) => family === 'hang'), exhausts });
  const durationMs = random.between(150, 1200);
  const signals = random.between(1, 4);
  const planner = new Planner(random, options, temper, durationMs, signals);
  const actions = planner.actions();
  planner.plantFatal(actions, fatalTasks);
  // a thread that is given up may still write: then there would be two that do
  const givesUp = actions.some((action) => action.kind === 'reload' && action.drainMs < 200);
  if (givesUp || (options.hangMs ?? Number.POSITIVE_INFINITY) < 100)
    for (const lane of options.lanes) lane.streams = false;
  actions.sort((a, b) => a.atMs - b.atMs);
  const drainMs = random.pick([0, 5, 50, 1000, 1000, 5000]);
  const startFault = random.chance(6)
    ? {
        kind: random.pick(/** @type {const} */ (['abort', 'terminate'])),
        atMs: random.below(150),
        nth: random.below(4),
      }
    : null;
  return { seed, round, temper, options, actions, durationMs, drainMs, signals, jobs: planner.jobs, startFault };
}

class Planner {
  /**
   * @param {Random} random
   * @param {PlannedOptions} options
   * @param {string} temper
   * @param {number} durationMs
   * @param {number} signals
   */
  constructor(random, options, temper, durationMs, signals) {
    this.random = random;
    this.options = options;
    this.temper = temper;
    this.durationMs = durationMs;
    this.signals = signals;
    this.jobs = 0;
    this.tasks = namesOf('good', ...(temper === 'calm' || temper === 'overload' ? [] : [/** @type {const} */ ('bad')]));
    this.lanes = options.lanes.map((lane) => lane.name);
    const waitsForMain = options.lanes.some((lane) => lane.transfer !== null);
    /** @type {Record<string, number>} */
    this.joins = { finished: 6, deadline: 2, poll: 1, cancel: 1 };
    // a lane whose workers are handed things by this thread waits for it, and deadlines may be far
    if (!waitsForMain) Object.assign(this.joins, { sync: 2, syncDeadline: 1 });
    if (options.hostHelps) this.joins['help'] = 6;
  }

  /** @returns {Action[]} */
  actions() {
    const { random } = this;
    const deadly = this.temper === 'dying' || this.temper === 'hanging' || this.temper === 'all';
    const weights = {
      frame: 30,
      singles: 20,
      fill: this.temper === 'overload' ? 15 : 4,
      loop: 3,
      abort: 2,
      stallMain: 2,
      stallSupervisor: deadly ? 4 : 1,
      stop: 1,
      terminate: deadly ? 4 : 0,
      reload: 3,
      look: 4,
      serve: 1,
      collect: 1,
      close: 1,
    };
    return Array.from({ length: random.between(5, 45) }, () => {
      const atMs = random.below(this.durationMs);
      return { atMs, ...this.action(random.weighted(weights)) };
    });
  }

  /** @returns {any} an action without its time */
  action(/** @type {string} */ kind) {
    const { random } = this;
    const signal = () => (random.chance(15) ? random.below(this.signals) : null);
    switch (kind) {
      case 'frame': {
        const join = random.weighted(this.joins);
        return {
          kind,
          deadlineMs: this.deadlineMs(),
          stages: this.stages(40),
          join,
          signal: signal(),
          joinSignal: null,
        };
      }
      case 'singles':
        return {
          kind,
          jobs: this.list(random.between(1, 20)),
          keep: random.pick(['await', 'await', 'release', 'forget', 'cancel']),
          signal: signal(),
        };
      case 'fill':
        return {
          kind: 'singles',
          jobs: this.list(random.between(50, 600), random.pick(this.lanes)),
          keep: random.pick(['await', 'release', 'forget']),
          signal: signal(),
        };
      case 'loop':
        return {
          kind,
          hz: random.pick([30, 60, 100, 250, 1000]),
          deadlineMs: random.chance(50) ? null : this.deadlineMs(),
          ticks: Array.from({ length: random.between(1, 25) }, () => this.stages(12)),
          join: random.weighted(this.joins),
          signal: signal(),
        };
      case 'abort':
        return { kind, signal: random.below(this.signals) };
      case 'stallMain':
        return { kind, ms: random.between(1, 150) };
      case 'stallSupervisor':
        return { kind, ms: random.between(1, 300) };
      case 'stop':
        return { kind, ms: random.between(5, 400) };
      case 'terminate':
        return { kind, nth: random.below(8) };
      case 'reload':
        return {
          kind,
          lane: random.pick(this.lanes),
          drainMs: random.pick([0, 10, 200, 1000]),
          module: random.pick(['same', 'same', 'other', 'throws', 'missing', 'exits']),
        };
      case 'serve':
        return { kind, clients: random.below(4) };
      case 'close':
        return { kind, drainMs: random.pick([0, 0, 20, 300, 1000]) };
      default:
        return { kind };
    }
  }

  /** @returns {Stages} */
  stages(/** @type {number} */ most) {
    const { random } = this;
    const count = random.chance(30) ? random.between(2, 8) : 1;
    return Array.from({ length: count }, () => this.list(random.below(1 + Math.ceil(most / count))));
  }

  /** @returns {PlannedJob[]} */
  list(/** @type {number} */ count, /** @type {string | null} */ lane = null) {
    const { random } = this;
    const jobs = [];
    for (let i = 0; i < count && this.jobs < MAX_JOBS; i++) {
      const task = random.pick(this.tasks);
      jobs.push({
        id: this.jobs++,
        lane: lane ?? random.pick(this.lanes),
        task,
        us: this.argumentOf(task),
        direct: random.chance(30),
        deadlineMs: random.chance(50) ? null : this.deadlineMs(),
      });
    }
    return jobs;
  }

  deadlineMs() {
    return this.random.pick([0.2, 1, 5, 16, 16, 100, 60_000]);
  }

  argumentOf(/** @type {string} */ task) {
    const [low, high] = /** @type {import('./catalog.js').Kind} */ (KINDS[task]).us;
    return this.random.between(low, high);
  }

  /** Makes some of the jobs fatal. */
  plantFatal(/** @type {Action[]} */ actions, /** @type {string[]} */ tasks) {
    if (tasks.length === 0) return;
    const { random } = this;
    const jobs = actions.flatMap(jobsOf);
    if (jobs.length === 0) return;
    for (let left = random.between(1, 10); left > 0; left--) {
      const job = random.pick(jobs);
      job.task = random.pick(tasks);
      job.us = this.argumentOf(job.task);
    }
  }
}

/** @returns {PlannedJob[]} */
export function jobsOf(/** @type {Action} */ action) {
  if (action.kind === 'frame') return action.stages.flat();
  if (action.kind === 'singles') return action.jobs;
  return action.kind === 'loop' ? action.ticks.flat(2) : [];
}
