import { escaped, svg, WIDTH } from './plot.js';
import { figure } from './table.js';

const LEFT = 64;
const RIGHT = 190;
const TOP = 36;
const PANEL = 96;
const GAP = 30;
const MAX_POINTS = 600;

/**
 * Lines over time, in panels above each other, each with a linear axis of its own that begins at 0.
 * @param panels `{ title, series: [{ label, points: [[x, y], ...] }] }`, six series each at most; points without a y are left out
 * @param unitX what x counts
 */
export function panelPlot(title, unitX, panels) {
  const xs = panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([x]) => x)));
  const xHigh = Math.max(...xs, 1e-9);
  const right = WIDTH - RIGHT;
  const x = (value) => LEFT + ((right - LEFT) * value) / xHigh;
  const body = [];
  panels.forEach((panel, i) => {
    const top = TOP + 20 + i * (PANEL + GAP);
    body.push(`<text x="${LEFT}" y="${top - 6}">${escaped(panel.title)}</text>`);
    body.push(...lines(panel.series, x, top, right));
  });
  const bottom = TOP + 20 + panels.length * (PANEL + GAP) - GAP;
  for (let part = 0; part <= 4; part++) {
    const at = (xHigh * part) / 4;
    body.push(
      `<text class="soft" x="${x(at).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${figure(at)}</text>`,
    );
  }
  body.push(`<text class="soft" x="${right + 12}" y="${bottom + 16}">${escaped(unitX)}</text>`);
  return svg(title, bottom + 28, body);
}

function lines(series, x, top, right) {
  const bottom = top + PANEL;
  const ys = series.flatMap(({ points }) => points.map(([, y]) => y)).filter((y) => y !== null);
  const high = roundUp(Math.max(...ys, 0));
  const y = (value) => bottom - (PANEL * value) / high;
  const body = [0, high / 2, high].flatMap((value) => [
    `<line class="grid" x1="${LEFT}" x2="${right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>`,
    `<text class="soft" x="${LEFT - 6}" y="${y(value).toFixed(1)}" dy="4" text-anchor="end">${figure(value)}</text>`,
  ]);
  series.forEach(({ label, points }, i) => {
    const shown = points.filter(([, value]) => value !== null);
    if (shown.length === 0) return;
    const every = Math.ceil(shown.length / MAX_POINTS);
    const drawn = shown.filter((_, at) => at % every === 0 || at === shown.length - 1);
    const path = drawn.map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${x(px).toFixed(1)} ${y(py).toFixed(1)}`);
    const legendY = top + 12 + i * 18;
    body.push(`<path class="s${i}" d="${path.join('')}"/>`);
    body.push(`<path class="s${i}" d="M${right + 12} ${legendY - 4}h20"/>`);
    body.push(`<text x="${right + 38}" y="${legendY}">${escaped(label)}: ${figure(drawn.at(-1)[1])}</text>`);
  });
  return body;
}

/** 1, 2, 4 or 10 times a power of ten; 2 where there is nothing, so that the half is a whole number. */
function roundUp(value) {
  if (value <= 0) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}
