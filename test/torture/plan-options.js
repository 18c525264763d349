/** @typedef {import('./random.js').Random} Random */

/**
 * @typedef {object} PlannedLane
 * @property {string} name
 * @property {number} deadlineMs
 * @property {'run' | 'drop' | null} onExpired null: the default
 * @property {'refuse' | 'dropOldest'} onFull
 * @property {'off' | 'estimate'} admission
 * @property {number} importance
 * @property {number} capacitySlots
 * @property {{ everyMs: number, every: number, how: string, us: number } | null} periodic `every` so many periods it acts
 * @property {boolean} streams its periods write to a stream that the host reads: one worker serves it
 * @property {'function' | null} transfer
 * @property {boolean | null} eventLoop null: the default
 */
/**
 * @typedef {object} PlannedWorkers
 * @property {string[]} lanes
 * @property {number} count
 * @property {'normal' | 'high'} priority
 * @property {number} spinUs
 * @property {'auto' | 'inSlack'} gc
 */
/**
 * @typedef {object} PlannedOptions
 * @property {PlannedLane[]} lanes
 * @property {PlannedWorkers[] | null} workers null: derived
 * @property {number} framesInFlight
 * @property {boolean} development
 * @property {boolean} hostHelps
 * @property {number | null} hangMs null: for ever
 * @property {number | null} spares null: the default
 * @property {number} traceJobs
 * @property {boolean} limited memory limits for the workers
 * @property {boolean} profile
 */

/**
 * @param {Random} random
 * @param {string} temper
 * @param {{ hangs: boolean, exhausts: boolean }} wants
 * @returns {PlannedOptions}
 */
export function planOptions(random, temper, { hangs, exhausts }) {
  const hostHelps = temper === 'helping';
  const names = ['a', 'b', 'c', 'd'].slice(0, random.between(1, 4));
  const lanes = names.map((name) => planLane(random, name, temper, hostHelps));
  // derived workers have no memory limits
  const workers = exhausts || random.chance(75) ? planWorkers(random, names) : null;
  for (const lane of lanes) {
    const serving = workers?.filter((group) => group.lanes.includes(lane.name)) ?? [];
    lane.streams = lane.periodic !== null && serving.length === 1 && serving[0]?.count === 1;
  }
  return {
    lanes,
    workers,
    framesInFlight: random.between(1, 3),
    development: random.chance(20),
    hostHelps,
    hangMs: hangs ? random.pick([10, 30, 60, 100]) : random.pick([20, 100, 1000, null]),
    spares: random.pick([null, 0, 1, 1, 2]),
    traceJobs: random.pick([2, 256, 1024]),
    limited: exhausts || random.chance(5),
    profile: false,
  };
}

/** @returns {PlannedLane} */
function planLane(
  /** @type {Random} */ random,
  /** @type {string} */ name,
  /** @type {string} */ temper,
  /** @type {boolean} */ hostHelps,
) {
  const overloads = temper === 'overload' || random.chance(10);
  const deadly = temper === 'dying' || temper === 'hanging' || temper === 'all';
  const how = random.pick(deadly ? ['late', 'throw', 'exit', 'hang'] : ['late', 'throw']);
  const transfer = !hostHelps && random.chance(12) ? /** @type {const} */ ('function') : null;
  return {
    name,
    deadlineMs: random.pick([1, 4, 16, 100]),
    onExpired: random.pick([null, 'run', 'drop']),
    onFull: random.pick(['refuse', 'refuse', 'dropOldest']),
    admission: overloads ? random.pick(['off', 'estimate']) : 'off',
    importance: random.pick([0, 1, 10, 1000]),
    capacitySlots: random.pick([4, 8, 16, 64, 256, 256, 1024]),
    periodic: random.chance(25)
      ? {
          everyMs: random.pick([1, 2.667, 10, 33]),
          every: random.chance(50) ? 0 : random.between(3, 60),
          how: how === 'exit' && temper === 'hanging' ? 'hang' : how === 'hang' && temper === 'dying' ? 'exit' : how,
          us: random.between(100, 5000),
        }
      : null,
    streams: false,
    transfer,
    eventLoop: transfer === null ? random.pick([null, null, null, true]) : null,
  };
}

/** Some workers; each lane is served by one at least. @returns {PlannedWorkers[]} */
function planWorkers(/** @type {Random} */ random, /** @type {string[]} */ names) {
  const groups = Array.from({ length: random.between(1, Math.min(3, names.length + 1)) }, () => ({
    lanes: /** @type {string[]} */ ([]),
    count: random.pick([1, 1, 2]),
    priority: /** @type {const} */ (random.chance(50) ? 'high' : 'normal'),
    spinUs: random.pick([0, 0, 0, 50]),
    gc: /** @type {const} */ (random.chance(20) ? 'inSlack' : 'auto'),
  }));
  for (const name of names) random.pick(groups).lanes.push(name);
  for (const group of groups) {
    const more = random.pick(names);
    if (!group.lanes.includes(more) && (group.lanes.length === 0 || random.chance(30))) group.lanes.push(more);
  }
  return groups;
}
