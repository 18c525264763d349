import { figure } from './table.js';

// Plots as SVG by hand: bars and lines, values on a logarithmic axis. Colours follow the reader's light or dark theme.

export const WIDTH = 720;
const LABEL = 240;
const RIGHT = 90;
const ROW = 22;
const TOP = 48;
const COLORS = 6;

const STYLE = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f; } .title { font-weight: 600; font-size: 14px; } .soft { fill: #656d76; }
.grid { stroke: #d0d7de; } .bar { fill: #8c959f; } .ours { fill: #0969da; } .limit { fill: #1a7f37; }
path { fill: none; stroke-width: 2; } .s0 { stroke: #0969da; } .s1 { stroke: #bc4c00; } .s2 { stroke: #1a7f37; }
.s3 { stroke: #8250df; } .s4 { stroke: #bf3989; } .s5 { stroke: #6e7781; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .soft { fill: #8d96a0; } .grid { stroke: #30363d; }
.bar { fill: #6e7681; } .ours { fill: #58a6ff; } .limit { fill: #3fb950; } .s0 { stroke: #58a6ff; } .s1 { stroke: #f0883e; }
.s2 { stroke: #3fb950; } .s3 { stroke: #bc8cff; } .s4 { stroke: #f778ba; } .s5 { stroke: #8d96a0; } }
</style>`;

export const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** The plot as a file: `body` are its elements. */
export function svg(title, height, body) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">
${STYLE}
<text class="title" x="8" y="20">${escaped(title)}</text>
${body.join('\n')}
</svg>
`;
}

/** Powers of ten around all values. */
function decades(values) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  const low = Math.floor(Math.min(...logs));
  return { low, high: Math.max(low + 1, Math.ceil(Math.max(...logs))) };
}

/**
 * Horizontal bars, a logarithmic axis. `bars`: `{ label, value, min, max, kind }`, kind 'ours', 'limit' or 'bar'. A bar
 * of 0 is drawn at the axis and says so.
 */
export function barPlot(title, unit, bars) {
  const height = TOP + bars.length * ROW + 28;
  if (!bars.some(({ value }) => value > 0)) return svg(title, height, []);
  const { low, high } = decades(bars.flatMap(({ value, min, max }) => [value, min, max]));
  const span = WIDTH - LABEL - RIGHT;
  const x = (value) => LABEL + (span * (Math.log10(Math.max(value, 10 ** low)) - low)) / (high - low);
  const body = [];
  for (let power = low; power <= high; power++) {
    const at = x(10 ** power).toFixed(1);
    body.push(`<line class="grid" x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${height - 22}"/>`);
    body.push(`<text class="soft" x="${at}" y="${height - 6}" text-anchor="middle">${figure(10 ** power)}</text>`);
  }
  body.push(
    `<text class="soft" x="8" y="36">${escaped(unit)}, logarithmic; the thin line: lowest to highest round</text>`,
  );
  bars.forEach(({ label, value, min, max, kind }, i) => {
    const y = TOP + i * ROW;
    const end = x(value);
    body.push(`<text x="${LABEL - 8}" y="${y + 12}" text-anchor="end">${escaped(label)}</text>`);
    body.push(
      `<rect class="${kind}" x="${LABEL}" y="${y + 2}" width="${Math.max(0, end - LABEL).toFixed(1)}" height="12"/>`,
    );
    body.push(`<line class="grid" x1="${x(min).toFixed(1)}" x2="${x(max).toFixed(1)}" y1="${y + 8}" y2="${y + 8}"/>`);
    body.push(`<text x="${(Math.max(end, x(max)) + 6).toFixed(1)}" y="${y + 12}">${figure(value)}</text>`);
  });
  return svg(title, height, body);
}

/** Lines on two logarithmic axes. `series`: `{ label, points: [[x, y], ...] }`, six at most. */
export function linePlot(title, unitX, unitY, series) {
  const shown = series.slice(0, COLORS);
  const height = 360;
  const [left, right, top, bottom] = [64, 210, TOP, height - 40];
  const xs = shown.flatMap(({ points }) => points.map(([x]) => x));
  const yAxis = decades(shown.flatMap(({ points }) => points.map(([, y]) => y)));
  const xHigh = Math.log2(Math.max(...xs));
  const x = (value) => left + ((WIDTH - left - right) * Math.log2(value)) / xHigh;
  const y = (value) => bottom - ((bottom - top) * (Math.log10(value) - yAxis.low)) / (yAxis.high - yAxis.low);
  const body = [];
  for (let power = yAxis.low; power <= yAxis.high; power++) {
    const at = y(10 ** power).toFixed(1);
    body.push(`<line class="grid" x1="${left}" x2="${WIDTH - right}" y1="${at}" y2="${at}"/>`);
    body.push(`<text class="soft" x="${left - 6}" y="${at}" dy="4" text-anchor="end">${figure(10 ** power)}</text>`);
  }
  for (let power = 0; power <= xHigh; power += 2) {
    body.push(
      `<text class="soft" x="${x(2 ** power).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${2 ** power}</text>`,
    );
  }
  body.push(`<text class="soft" x="8" y="36">${escaped(unitY)} by ${escaped(unitX)}, both logarithmic</text>`);
  shown.forEach(({ label, points }, i) => {
    const path = points.map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${x(px).toFixed(1)} ${y(py).toFixed(1)}`);
    const [lastX, lastY] = points.at(-1);
    body.push(`<path class="s${i}" d="${path.join('')}"/>`);
    const legendY = top + 12 + i * 20;
    body.push(`<path class="s${i}" d="M${WIDTH - right + 12} ${legendY - 4}h20"/>`);
    body.push(`<text x="${WIDTH - right + 38}" y="${legendY}">${escaped(label)}</text>`);
    body.push(`<circle class="s${i}" fill="none" cx="${x(lastX).toFixed(1)}" cy="${y(lastY).toFixed(1)}" r="2"/>`);
  });
  return svg(title, height, body);
}
