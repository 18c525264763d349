// Calls the addon with everything that JavaScript can pass. Ends with status 0 if nothing but TypeError, RangeError and
// what the arguments themselves throw came out. Arguments: path of the addon, number of runs, seed or nothing.
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';

const [path, runs, seed] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(path);

class Thrown extends Error {}

const number = fc.oneof(
  fc.integer({ min: -2, max: 100 }),
  fc.constantFrom(
    2 ** 31,
    2 ** 32,
    2 ** 53,
    -(2 ** 63),
    1e308,
    Infinity,
    -Infinity,
    NaN,
    -0,
    0.5,
    60e6,
    60e6 + 1,
    8191,
    8192,
  ),
  fc.double(),
);
const odd = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withTypedArray: true, withSparseArray: true }),
  fc.constantFrom(Symbol('x'), () => 0, class {}, new Proxy({}, {}), new SharedArrayBuffer(8), 1n << 80n),
);
const cpus = fc.oneof(
  fc.constant(null),
  fc.array(number, { maxLength: 5 }),
  fc.array(odd, { maxLength: 3 }),
  fc.constant(new Array(8192).fill(0)),
  fc.constant(new Array(2 ** 32 - 1)),
);
const request = fc.record(
  {
    name: fc.oneof({ weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }) }, odd),
    priority: fc.oneof(fc.constantFrom(0, 1, 2), number, odd),
    cpus: fc.oneof({ weight: 4, arbitrary: cpus }, odd),
    periodUs: fc.oneof({ weight: 3, arbitrary: fc.nat(100_000) }, number, odd),
    budgetUs: fc.oneof({ weight: 3, arbitrary: fc.nat(50_000) }, number, odd),
    realtimePriority: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 1, max: 99 }) }, number, odd),
    timerSlackNs: fc.oneof({ weight: 3, arbitrary: fc.nat(100_000) }, number, odd),
    brokered: fc.oneof({ weight: 3, arbitrary: fc.boolean() }, odd),
  },
  // all keys most of the time: a missing one ends the reading
  {
    requiredKeys: ['name', 'priority', 'cpus', 'periodUs', 'budgetUs', 'realtimePriority', 'timerSlackNs', 'brokered'],
  },
);
const trap = request.map(
  (inner) =>
    new Proxy(inner, {
      get(target, key) {
        if (key === 'budgetUs') throw new Thrown('from a trap');
        return target[key];
      },
    }),
);

let served = 0;
/** Whether the call behaved. */
function behaves(call) {
  try {
    call();
    served++;
    return true;
  } catch (error) {
    return error instanceof TypeError || error instanceof RangeError || error instanceof Thrown;
  }
}

const options = { numRuns: Number(runs), verbose: 1, ...(seed === undefined ? {} : { seed: Number(seed) }) };
const report = fc.check(
  fc.property(fc.oneof({ weight: 5, arbitrary: request }, trap, odd), number, odd, (asked, thread, any) => {
    return (
      behaves(() => addon.apply(asked)) &&
      behaves(() => addon.read(thread)) &&
      behaves(() => addon.read(any)) &&
      behaves(() => addon.abandon(any)) &&
      behaves(() => addon.usage(any)) &&
      behaves(() => addon.lockMemory(any)) &&
      behaves(() => addon.apply()) &&
      behaves(() => addon.apply.call(any, asked))
    );
  }),
  options,
);
addon.apply({
  name: 'x',
  priority: 0,
  cpus: null,
  periodUs: 0,
  budgetUs: 0,
  realtimePriority: 1,
  timerSlackNs: 0,
  brokered: false,
});
console.log(`seed ${report.seed}, ${report.numRuns} runs, ${served} calls served`);
if (report.failed) console.log(fc.defaultReportMessage(report));

// memory that is gone, shared, growing, or another type's
const detached = new Float64Array(8);
structuredClone(detached.buffer, { transfer: [detached.buffer] });
const expected = [
  [() => addon.usage(detached), RangeError],
  [() => addon.usage(new Float64Array(6)), RangeError],
  [() => addon.usage(new Float32Array(8)), TypeError],
  [() => addon.usage(new DataView(new ArrayBuffer(64))), TypeError],
  [() => addon.lockMemory(new Uint8Array(64)), TypeError],
  [() => addon.lockMemory(new Float64Array(new SharedArrayBuffer(64))), TypeError],
  [() => addon.read(-1), RangeError],
  [() => addon.read(2 ** 32), RangeError],
  [() => addon.read('1'), TypeError],
  [() => addon.apply({ ...{ name: 'x', priority: 0, cpus: [] } }), RangeError],
];
const wrong = expected.filter(([call, type]) => {
  try {
    call();
    return true;
  } catch (error) {
    return !(error instanceof type);
  }
});
for (const [call] of wrong) console.log(`unexpected answer of ${call}`);
addon.usage(new Float64Array(new SharedArrayBuffer(64)));

// a thread that has ended, and one of another process
const worker = new Worker(
  `const { readlinkSync } = require('node:fs');
   require('node:worker_threads').parentPort.postMessage(readlinkSync('/proc/thread-self').split('/').at(-1));`,
  { eval: true },
);
const [thread] = await once(worker, 'message');
await once(worker, 'exit');
const states = [addon.read(Number(thread)), addon.read(1), addon.read(2 ** 31), addon.read(2 ** 32 - 1)];
console.log(`dead or foreign threads: ${states.map((state) => state.error).join(' ')}`);
const readable = states.some((state) => state.error !== 'ESRCH' || state.niceness !== null || state.cpus !== null);
process.exit(report.failed || wrong.length > 0 || readable || served < Number(runs) / 10 ? 1 : 0);
