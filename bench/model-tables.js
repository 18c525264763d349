import { mkdirSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { figure, printRow, spreadOf } from './harness/table.js';
import { predict, shortestJobNs } from './simulator/model.js';
import { missPlot } from './simulator/plot.js';

// The tables of docs/performance.md, "What a job costs: a model", "A game on 4 to 8 cores, simulated" and "Batches", on
// standard output, and the plot in docs/plots: node bench/run.js --json cost-model simulate batch | node bench/model-tables.js

const plots = fileURLToPath(new URL('../docs/plots/', import.meta.url));
const { benches, machine } = JSON.parse(await text(process.stdin));
const benchOf = (name) => benches.find((bench) => bench.name === name && bench.rows !== undefined);
const heading = ({ name, machineState: { load1, othersPercent } }) =>
  console.log(`\n${name}: load ${figure(load1)}, others ${figure(othersPercent)} % of the CPUs`);

console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node}`);
const model = benchOf('cost-model');
if (model !== undefined) {
  heading(model);
  for (const row of model.rows) printRow([row.what.trim(), spreadOf(row), row.unit]);
  console.log('\nPREDICTED\n');
  printRow([
    'cores',
    'workers',
    'shortest job that keeps all busy, µs',
    'use of the workers at 5 µs',
    '20 µs',
    '50 µs',
    'jobs of 50 µs in 1/240 s',
  ]);
  printRow(['--:', '--:', '--:', '--:', '--:', '--:', '--:']);
  for (const cores of [4, 8, 16]) {
    const workers = cores - 1;
    const use = (us) =>
      `${figure(100 * predict(model.constants, { workers, jobs: 100, jobNs: us * 1000 }).efficiency)} %`;
    printRow([
      cores,
      workers,
      figure(shortestJobNs(model.constants, workers) / 1000),
      ...[5, 20, 50].map(use),
      jobsIn(1e9 / 240, workers, 50_000),
    ]);
  }
}

/** The most jobs of one frame of that length. */
function jobsIn(frameNs, workers, jobNs) {
  let jobs = 0;
  while (predict(model.constants, { workers, jobs: jobs + 1, jobNs }).frameNs + model.constants.wake < frameNs) jobs++;
  return jobs;
}

const simulated = benchOf('simulate');
if (simulated !== undefined) {
  heading(simulated);
  printRow([
    'SIMULATED',
    'cores',
    'frames missed, %',
    'audio blocks missed, %',
    'input events missed, %',
    'render workers busy, %',
  ]);
  for (const { cores, hz, scenario, frame, audio, input, busy } of simulated.table) {
    printRow([`${hz} Hz, ${scenario}`, cores, spreadOf(frame), spreadOf(audio), spreadOf(input), figure(busy.median)]);
  }
  mkdirSync(plots, { recursive: true });
  writeFileSync(`${plots}simulated-misses.svg`, missPlot(simulated.series));
}
const batch = benchOf('batch');
if (batch !== undefined) {
  heading(batch);
  for (const row of batch.rows) printRow([row.what.trim(), spreadOf(row), row.unit]);
}
