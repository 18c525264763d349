import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { machine } from './harness/machine.js';
import { figure, printResult } from './harness/table.js';

// The entry: `npm run bench`, `npm run bench -- NAME...`, `--quick`, `--json`. Expects a built package.

const NAMES = [
  'primitives',
  'rings',
  'round-trip',
  'throughput',
  'collections',
  'gc-slack',
  'wakeup',
  'idle',
  'tick',
  'submit',
  'telemetry',
  'probes',
  'reading',
  'cause-accuracy',
  'lateness',
  'makespan',
  'startup',
  'priority',
  'round-trip-hogs',
  'rivals-round-trip',
  'rivals-rate',
  'rivals-garbage',
  'rivals-hogs',
  'rivals-frames',
  'one-core',
  'overload',
  'healing',
  'streams',
  'growth',
  'cost-model',
  'simulate',
  'batch',
  'limits',
  'web',
];

const { values, positionals } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !NAMES.includes(name));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no bench ${unknown.join(', ')}`);
  console.error(`usage: npm run bench -- [--quick] [--json] [NAME...]\nbenches: ${NAMES.join(', ')}`);
  process.exit(values.help ? 0 : 2);
}

/** Runs one bench in a child process and returns what it sends. */
function runBench(url) {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./harness/child.js', import.meta.url), [url.href, String(values.quick)], {
      stdio: ['ignore', values.json ? 2 : 1, 2, 'ipc'],
    });
    let answer = null;
    child.on('message', (message) => {
      answer = message;
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (answer !== null) resolve(answer);
      else reject(new Error(`it ended without a result (${signal ?? `status ${code}`})`));
    });
  });
}

const about = machine();
if (!values.json) {
  console.log(`${about.cpu}, ${about.cores} cores, ${about.kernel}, Node ${about.node} (V8 ${about.v8})`);
  if (values.quick) console.log('--quick: too short to be quoted');
}
const benches = [];
let failed = false;
for (const name of positionals.length > 0 ? positionals : NAMES) {
  const url = new URL(`./${name}.js`, import.meta.url);
  const { describe } = await import(url);
  try {
    const { result, state, overhead } = await runBench(url);
    benches.push({ name, describe, ...result, machineState: state, harness: overhead });
    if (!values.json) {
      printResult(name, describe, result, state);
      const { clockReadNs, emptyLoopNs } = overhead;
      console.log(
        `  (harness: a clock read ${figure(clockReadNs.median)} ns, an empty iteration ${figure(emptyLoopNs.median)} ns)`,
      );
    }
  } catch (error) {
    failed = true;
    benches.push({ name, describe, error: String(error.message) });
    console.error(`${name} failed: ${error.message}`);
  }
}
if (values.json) {
  console.log(JSON.stringify({ schemaVersion: 1, quick: values.quick, machine: about, benches }, null, 2));
}
process.exitCode = failed ? 1 : 0;
