import { mkdirSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { barPlot, linePlot } from './harness/plot.js';
import { figure, printRow, spreadOf } from './harness/table.js';

// The tables of docs/performance.md, "Beside other pools" and "Growth", on standard output, and its plots in docs/plots:
// node bench/run.js --json NAME... | node bench/rival-tables.js
// with NAME any of: rivals-round-trip rivals-rate rivals-hogs rivals-frames rivals-garbage one-core streams limits growth

const plots = fileURLToPath(new URL('../docs/plots/', import.meta.url));
const { benches, machine } = JSON.parse(await text(process.stdin));
const rowsOf = (name) => benches.find((bench) => bench.name === name)?.rows ?? [];

function save(name, svg) {
  mkdirSync(plots, { recursive: true });
  writeFileSync(`${plots}${name}.svg`, svg);
}

const kindOf = (label) => (label.startsWith('ours') ? 'ours' : label.startsWith('in C') ? 'limit' : 'bar');
const bar = ({ what, median, min, max }) => ({ label: what, value: median, min, max, kind: kindOf(what) });

/** A row's name without what it was measured of. */
const without = (suffix) => (one) => ({ ...one, what: one.what.replace(suffix, '') });

function heading(name) {
  const bench = benches.find((one) => one.name === name);
  if (bench === undefined || bench.rows === undefined || bench.rows.length === 0) return false;
  const { load1, stealPercent, othersPercent } = bench.machineState;
  console.log(
    `\n${name}: load ${figure(load1)}, steal ${figure(stealPercent)} %, others ${figure(othersPercent)} % of the CPUs`,
  );
  return true;
}

/** One line for each contestant, a column for each percentile. */
function percentileTable(name, condition = '') {
  const rows = rowsOf(name).filter(({ unit }) => unit === 'µs');
  const of = (p) => rows.filter(({ what }) => what.endsWith(`${condition}, ${p}`)).map(without(`${condition}, ${p}`));
  const [p50, p99, p999] = ['p50', 'p99', 'p999'].map(of);
  for (const one of p50) {
    printRow([one.what, ...[p50, p99, p999].map((list) => spreadOf(list.find(({ what }) => what === one.what)))]);
  }
  return { p50, p999 };
}

/** Figures and ratios as they were printed. */
function plainTable(name) {
  for (const one of rowsOf(name)) printRow([one.what.trim(), spreadOf(one), one.unit, one.note]);
}

console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node}`);
if (heading('rivals-round-trip')) {
  const { p50 } = percentileTable('rivals-round-trip');
  save('rivals-round-trip', barPlot('Round trip of a 64-byte job, p50', 'µs', p50.map(bar)));
  for (const one of rowsOf('rivals-round-trip').filter(({ unit }) => unit === '×'))
    printRow([one.what.trim(), spreadOf(one)]);
}
if (heading('rivals-hogs')) {
  for (const condition of [', host realtime', ', host normal']) {
    console.log(condition.slice(2));
    const { p999 } = percentileTable('rivals-hogs', condition);
    if (condition === ', host realtime') {
      save('rivals-hogs', barPlot('Round trip beside two CPU hogs, p99.9', 'µs', p999.map(bar)));
    }
  }
  for (const one of rowsOf('rivals-hogs').filter(({ unit }) => unit === '×'))
    printRow([one.what.trim(), spreadOf(one)]);
}
if (heading('rivals-rate')) {
  plainTable('rivals-rate');
  const rates = rowsOf('rivals-rate').filter(({ unit }) => unit === 'M jobs/s');
  save('rivals-rate', barPlot('Empty jobs a second, 64 in flight', 'million jobs a second', rates.map(bar)));
}
if (heading('rivals-frames')) {
  plainTable('rivals-frames');
  save('rivals-frames', barPlot('Frames missed beside two CPU hogs', '% of frames', rowsOf('rivals-frames').map(bar)));
}
for (const name of ['rivals-garbage', 'one-core', 'streams', 'limits']) if (heading(name)) plainTable(name);
if (heading('growth')) {
  plainTable('growth');
  save('growth', linePlot('What a job costs as things grow', 'how many', 'ns a job', growthSeries(rowsOf('growth'))));
}

function growthSeries(rows) {
  const series = [
    ['workers', /^(\d+) workers,/],
    ['lanes, all used', /^(\d+) lanes, all/],
    ['lanes, one used', /^(\d+) lanes, one/],
    ['jobs a frame', /^frames of (\d+)$/],
    ['drained, in order', /^drain of (\d+), deadlines in order/],
    ['drained, at random', /^drain of (\d+), deadlines at random/],
  ];
  return series.map(([label, pattern]) => ({
    label,
    points: rows.flatMap(({ what, median }) => {
      const found = pattern.exec(what);
      return found === null ? [] : [[Number(found[1]), median]];
    }),
  }));
}
