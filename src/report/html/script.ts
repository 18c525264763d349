/**
 * What the page does when it is pointed at: without it all figures are there, but the plots cannot be read out frame by
 * frame. It writes text as text only. The page's policy names the hash of this text: a test says which one where it
 * does not fit.
 */
import { FRAME_PLOT_SCRIPT } from './script-frames.js';

const COMMON = `
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
function duration(us) {
  if (us === null) return '–';
  const size = Math.abs(us);
  const sign = us < 0 ? '−' : '';
  const three = (value) => (value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2));
  if (size < 999.5) return sign + (size >= 9.95 || size === 0 ? Math.round(size) : size.toFixed(1)) + ' µs';
  return sign + (size < 999500 ? three(size / 1e3) + ' ms' : three(size / 1e6) + ' s');
}
function say(output, strong, rest) {
  const b = document.createElement('b');
  b.textContent = strong;
  output.replaceChildren(b, rest);
}
function moveCursor(figure, percent) {
  const cursor = figure.querySelector('.cursor');
  cursor.setAttribute('x1', percent + '%');
  cursor.setAttribute('x2', percent + '%');
  cursor.setAttribute('visibility', 'visible');
}
/** Where the pointer is along the plot, 0 to 1. */
function shareAt(figure, event) {
  const box = figure.querySelector('.data').getBoundingClientRect();
  return clamp((event.clientX - box.left) / box.width, 0, 1);
}
`;

const PERCENTILES = `
/** Of the percentile plots. */
const LAST_STEP = 60;
let stepAt = 0;
function setupPercentiles() {
  const figures = all('[data-percentiles]');
  const [laneSelect, metricSelect] = all('[data-view]');
  const output = document.getElementById('percentile-output');
  if (!laneSelect) return;
  function show() {
    for (const figure of figures) figure.hidden = figure.dataset.lane !== laneSelect.value || figure.dataset.metric !== metricSelect.value;
  }
  function readOut(figure, step) {
    const { nines, names, values } = data.percentiles[figure.dataset.percentiles];
    if (!values.length) return;
    const last = values[0].length - 1;
    stepAt = clamp(step, 0, last);
    const share = stepAt / last;
    const percent = 100 * (1 - 10 ** (-share * nines));
    moveCursor(figure, 100 * share);
    const parts = names.map((name, i) => name + ' ' + (values[i][stepAt] === null ? '–' : duration(values[i][stepAt])));
    say(output, percent.toFixed(clamp(Math.ceil(share * nines), 1, 6)) + ' % are at most: ', parts.join(', '));
  }
  for (const figure of figures) {
    const pan = figure.querySelector('.pan');
    if (!pan) continue;
    pan.addEventListener('pointermove', (event) => readOut(figure, Math.round(shareAt(figure, event) * LAST_STEP)));
    pan.addEventListener('keydown', (event) => {
      const moves = { ArrowLeft: stepAt - 1, ArrowRight: stepAt + 1, Home: 0, End: LAST_STEP };
      if (!(event.key in moves)) return;
      event.preventDefault();
      readOut(figure, moves[event.key]);
    });
  }
  laneSelect.addEventListener('change', show);
  metricSelect.addEventListener('change', show);
  show();
}
`;

const MISSES = `
function openMiss(index) {
  const miss = document.getElementById('m' + index);
  if (!miss) return;
  miss.hidden = false;
  miss.open = true;
  miss.scrollIntoView({ block: 'center' });
  miss.firstElementChild.focus({ preventScroll: true });
}
function setupMisses() {
  const filter = document.getElementById('miss-filter');
  if (!filter) return;
  const misses = all('details.miss');
  filter.addEventListener('change', () => {
    for (const miss of misses) miss.hidden = filter.value !== '' && !miss.querySelector('summary .c-' + filter.value);
  });
  const setAll = (open) => () => {
    for (const miss of misses) if (!miss.hidden) miss.open = open;
  };
  document.getElementById('open-all').addEventListener('click', setAll(true));
  document.getElementById('close-all').addEventListener('click', setAll(false));
}
`;

export const SCRIPT = `${COMMON}${FRAME_PLOT_SCRIPT}${PERCENTILES}${MISSES}
all('[data-frames]').forEach(setupFrames);
setupPercentiles();
setupMisses();
`;
