// The tasks of torture.tasks.js, by what they do to their worker.

/**
 * @typedef {object} Kind
 * @property {'good' | 'bad' | 'hang' | 'death'} family `bad` fails in the handler, `hang` and `death` end the worker
 * @property {boolean} idempotent
 * @property {[number, number]} us range of the argument
 */

/** @returns {Kind} */
const kind = (
  /** @type {Kind['family']} */ family,
  /** @type {[number, number]} */ us = [0, 0],
  idempotent = false,
) => ({ family, idempotent, us });

/** @type {Readonly<Record<string, Kind>>} */
export const KINDS = {
  fine: kind('good'),
  steady: kind('good', [0, 0], true),
  spin: kind('good', [10, 2000]),
  spinAgain: kind('good', [10, 3000], true),
  sleep: kind('good', [100, 3000]),
  ask: kind('good', [100, 8000]),
  litter: kind('good', [100, 20_000]),
  reverse: kind('good', [0, 0], true),
  thrower: kind('bad', [0, 5]),
  promise: kind('bad'),
  overflow: kind('bad'),
  hang: kind('hang'),
  hangWaiting: kind('hang'),
  hangOnce: kind('hang', [0, 0], true),
  native: kind('hang', [20_000, 400_000]),
  exit: kind('death', [0, 4]),
  exitOnce: kind('death', [0, 0], true),
  exitAlways: kind('death', [0, 0], true),
  throwLater: kind('death'),
  rejectLater: kind('death'),
  exhaust: kind('death'),
};

/** Names of the tasks of these families. */
export const namesOf = (/** @type {Kind['family'][]} */ ...families) =>
  Object.keys(KINDS).filter((name) => families.includes(/** @type {Kind} */ (KINDS[name]).family));

/** Jobs of a round at most: what the handlers report into has so many places. */
export const MAX_JOBS = 8192;
/** Periods that are told apart. */
export const MAX_PERIODS = 65_536;

/** What a job is given besides its number, and what must come back: computed, so that plans stay short. */
export const valuesOf = (/** @type {number} */ id) => [id, id * 7, id ^ 0xffff, 4_000_000_000 - id];
export const dataOf = (/** @type {number} */ id) =>
  Uint8Array.from({ length: id % 301 }, (_, i) => (i * 31 + id) & 255);
