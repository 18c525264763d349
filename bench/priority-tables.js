import { text } from 'node:stream/consumers';
import { printRow, spreadOf } from './harness/table.js';

// The tables of docs/performance.md, "Priorities under load":
// node bench/run.js --json priority round-trip-hogs | node bench/priority-tables.js

const { benches } = JSON.parse(await text(process.stdin));

/** Every `size` rows of a bench are one line of its table. */
function lines(name, size, first) {
  const { rows } = benches.find((bench) => bench.name === name) ?? { rows: [] };
  if (rows.length > 0) console.log(`\n${name}`);
  for (let at = 0; at < rows.length; at += size) {
    printRow([...first(rows[at].what), ...rows.slice(at, at + size).map(spreadOf)]);
  }
}

lines('priority', 3, (what) => {
  const [, by, level] = /^(.*), (\w+): missed$/.exec(what);
  return [by.replace('host high', 'main thread at nice -11'), `\`${level}\``];
});
const HOSTS = { realtime: 'SCHED_RR 10, as the worker', high: 'nice -11', normal: 'nice 0' };
lines('round-trip-hogs', 3, (what) => {
  const [, host, p] = /^host (\w+), (\w+)$/.exec(what);
  return [HOSTS[host], p.replace('p999', 'p99.9')];
});
