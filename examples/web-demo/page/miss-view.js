import { find, make, shape } from './elements.js';
import { CAUSE_WORDS, lateText, reasonText, SEGMENTS, segmentsText } from './words.js';

/** @typedef {import('frame-deadline').Miss} Miss */
/** @typedef {{ worst: Miss, first: number, count: number, lastAtUs: number }} Group */

const MOST_SHOWN = 6;
/** Misses of one task for one reason that come so soon after each other are one entry. */
const TOGETHER_US = 400_000;

/** The last misses, newest first, with cause, culprit and segments in words. */
export class MissView {
  constructor() {
    /** @type {Group[]} */
    this.groups = [];
    this.changed = false;
    this.isHeld = false;
    this.total = 0;
  }

  /** @param {Miss} miss */
  add(miss) {
    this.total += miss.periods;
    const { groups } = this;
    const found = groups.find(
      ({ worst, lastAtUs }) => isAlike(worst, miss) && miss.finishAtUs - lastAtUs < TOGETHER_US,
    );
    if (found === undefined) {
      groups.unshift({ worst: miss, first: miss.frame ?? 0, count: miss.periods, lastAtUs: miss.finishAtUs });
      groups.length = Math.min(groups.length, MOST_SHOWN);
    } else {
      found.count += miss.periods;
      found.lastAtUs = miss.finishAtUs;
      if (miss.tardinessUs > found.worst.tardinessUs) found.worst = miss;
    }
    this.changed = true;
  }

  show() {
    if (!this.changed || this.isHeld) return;
    this.changed = false;
    find('miss-list').replaceChildren(...this.groups.map(item));
  }
}

/** @param {Miss} a @param {Miss} b */
function isAlike(a, b) {
  return a.lane === b.lane && a.task === b.task && a.cause === b.cause && a.culprit?.task === b.culprit?.task;
}

/** @param {Group} group */
function item({ worst: miss, count }) {
  const { cause, lane, task, frame } = miss;
  const times = count > 1 ? ` ×${count}` : '';
  const where = frame === null ? '' : `, frame ${frame}`;
  const head = make(
    'div',
    'miss-head',
    shape(cause),
    make('b', '', CAUSE_WORDS[cause].short),
    make('span', '', `${lane}.${task}${times}`),
    make('span', 'late', `${count > 1 && miss.tardinessUs > 0 ? 'up to ' : ''}${lateText(miss)}${where}`),
  );
  return make('li', `miss c-${cause}`, head, bar(miss), make('p', '', `${reasonText(miss)} ${segmentsText(miss)}`));
}

/** The segments end to end, as wide as they were long. @param {Miss} miss */
function bar({ segments }) {
  const known = SEGMENTS.filter(({ key }) => (segments[key] ?? 0) > 0);
  const parts = known.map(({ key, name, cause }) => {
    const part = make('span', `c-${cause}`);
    part.style.flexGrow = String(segments[key]);
    part.title = name;
    return part;
  });
  const whole = make('div', 'segments', ...parts);
  whole.setAttribute('aria-hidden', 'true');
  return whole;
}
