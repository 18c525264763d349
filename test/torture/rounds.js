// The process that is tortured: rounds one after the other, and after each a look at what it left. main.js starts it.
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createScheduler } from 'frame-deadline';
import { growthOf } from './flatness.js';
import { holdings, leaksAfter, SharedMemoryWatch } from './leaks.js';
import { planRound } from './plan.js';
import { judge } from './referee.js';
import { Round } from './round.js';
import { summaryOf } from './summary.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '0' },
    minutes: { type: 'string', default: '1' },
    round: { type: 'string' },
  },
});
const seed = Number(values.seed);
const endMs = performance.now() + Number(values.minutes) * 60_000;

/** Longer than any round takes on a busy machine: native code that hangs is waited for 3 s. */
const PATIENCE_MS = 60_000;

/** @type {import('./round.js').Outside} */
const outside = {
  stop: (ms) => void process.send?.({ stop: ms }),
  blocks: (what) => void process.send?.({ blocks: what }),
};
const shared = new SharedMemoryWatch();
const beats = new Int32Array(new SharedArrayBuffer(4));
const watcher = new Worker(new URL('./watcher.js', import.meta.url), { workerData: { beats, patienceMs: 30_000 } });
watcher.unref();
setInterval(() => Atomics.add(beats, 0, 1), 200).unref();
await warmUp();
let before = holdings(shared);
let failures = 0;
/** After each round. @type {number[]} */
const rssMib = [];

async function runRound(/** @type {number} */ number) {
  process.send?.({ round: number });
  const beganMs = performance.now();
  const plan = planRound(seed, number);
  /** @type {string[]} */
  let faults;
  let evidence = null;
  const round = new Round(plan, outside, (memory) => watcher.postMessage({ name: `round ${number}`, ...memory }));
  const watchdog = setTimeout(() => {
    fail(plan.round, [`nothing has happened for ${PATIENCE_MS} ms`, round.dump()]);
    process.exit(1);
  }, PATIENCE_MS);
  try {
    evidence = await round.run();
    faults = judge(evidence);
  } catch (error) {
    faults = [`${round.doing}: ${/** @type {any} */ (error)?.stack ?? error}`];
    await round.scheduler?.close({ drainMs: 0 });
  } finally {
    clearTimeout(watchdog);
  }
  console.log(summaryOf(plan, evidence, performance.now() - beganMs));
  return faults;
}

function fail(/** @type {number} */ number, /** @type {readonly string[]} */ faults) {
  failures++;
  console.error(
    `round ${number} FAILED:\n${faults.map((fault) => `  ${fault.replaceAll('\n', '\n    ')}`).join('\n')}`,
  );
  console.error(`  again: npm run torture -- --seed ${seed} --round ${number}`);
}

/** What is loaded or started once and stays: libraries, threads of the pool. */
async function warmUp() {
  const tasks = new URL('./torture.tasks.js', import.meta.url);
  const lanes = { a: { tasks, shared: new Round(planRound(0, 0), outside, () => {}).reports.shared() } };
  const scheduler = await createScheduler({ lanes });
  await scheduler.submit(scheduler.lanes.a.fine, { id: 0, us: 0, values: [0, 0, 0, 0] }).done;
  await scheduler.close();
}

const first = values.round === undefined ? 0 : Number(values.round);
for (let number = first; ; number++) {
  const faults = await runRound(number);
  faults.push(...(await leaksAfter(before, shared)));
  if (faults.length > 0) {
    fail(number, faults);
    // what is left is told once
    before = holdings(shared);
  }
  rssMib.push(Math.round(process.memoryUsage.rss() / 2 ** 20));
  if (values.round !== undefined || performance.now() > endMs) break;
}
for (const fault of growthOf(rssMib)) {
  failures++;
  console.error(`seed ${seed} FAILED: ${fault}`);
}
if (failures > 0) process.exitCode = 1;
process.disconnect?.();
