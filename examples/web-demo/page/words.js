// Misses in words: those of report.html.
import {
  CAUSE_WORDS,
  causeLong,
  countText,
  culpritName,
  durationText,
  SEGMENTS,
} from '../../../dist/report/html/words.js';

export { CAUSE_SHAPES, CAUSE_WORDS, countText, durationText, SEGMENTS } from '../../../dist/report/html/words.js';

/** @typedef {import('frame-deadline').Miss} Miss */

/** `21.3 ms late`, or how it ended. @param {Miss} miss */
export function lateText({ startAtUs, tardinessUs, outcome }) {
  return startAtUs === null && tardinessUs <= 0 ? outcome : `${durationText(tardinessUs)} late`;
}

/** Why, and who was in the way. @param {Miss} miss */
export function reasonText(miss) {
  const { culprit, periods } = miss;
  const behind =
    culprit === null ? '' : ` In the way: ${culpritName(culprit)}, for ${durationText(culprit.executionUs)}.`;
  const many = periods > 1 ? ` ${countText(periods)} periods in a row.` : '';
  return `${capital(causeLong(miss))}.${behind}${many}`;
}

/** The parts of its time that there were, and those that nobody measures here. @param {Miss} miss */
export function segmentsText({ segments }) {
  const known = SEGMENTS.filter(({ key }) => (segments[key] ?? 0) > 0);
  const parts = known.map(({ key, name }) => `${name} ${durationText(segments[key])}`);
  return parts.length === 0 ? 'It never ran.' : `Its time: ${parts.join(', ')}.`;
}

/** One line for the button that provoked it. @param {Miss} miss */
export function verdictText(miss) {
  const { lane, task, culprit, cause } = miss;
  const isOwn = culprit === null || cause === 'overrun';
  const behind = isOwn ? '' : `, because of ${culpritName(culprit)} (${durationText(culprit.executionUs)})`;
  return { cause: CAUSE_WORDS[cause].short, rest: `: ${lane}.${task}, ${lateText(miss)}${behind}` };
}

/** @param {string} text */
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
