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
const VALID = {
  name: fc.string({ unit: 'binary', maxLength: 100 }),
  priority: fc.constantFrom(0, 1, 2),
  cpus: fc.oneof(fc.constant(null), fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }), fc.constant([8191])),
  periodUs: fc.nat(100_000),
  budgetUs: fc.nat(50_000),
  realtimePriority: fc.integer({ min: 1, max: 99 }),
  timerSlackNs: fc.nat(100_000),
  brokered: fc.boolean(),
};
const valid = fc.record(VALID);
/** One key is wrong, or missing: `false` stands for that. */
const spoilt = fc
  .tuple(valid, fc.constantFrom(...Object.keys(VALID)), fc.oneof(number, odd, cpus, fc.constant(false)))
  .map(([inner, key, value]) => {
    const { [key]: _, ...others } = inner;
    return value === false ? others : { ...others, [key]: value };
  });
const request = fc.oneof(valid, { weight: 2, arbitrary: spoilt });
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
let applied = 0;
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
      behaves(() => {
        addon.apply(asked);
        applied++;
      }) &&
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
console.log(`seed ${report.seed}, ${report.numRuns} runs, ${served} calls served, ${applied} requests applied`);
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
// nothing was prepared for any of them
for (const gone of [Number(thread), 1, 2 ** 31, 2 ** 32 - 1]) addon.abandon(gone);
console.log(`dead or foreign threads: ${states.map((state) => state.error).join(' ')}`);
const readable = states.some((state) => state.error !== 'ESRCH' || state.niceness !== null || state.cpus !== null);
process.exit(report.failed || wrong.length > 0 || readable || applied < Number(runs) / 10 ? 1 : 0);
