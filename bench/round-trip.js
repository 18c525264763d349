import { compile, NO_COMPILER, runJson } from './harness/compile.js';
import { ISOLATED, ISOLATED_COMMAND, isolate, NOT_ISOLATED, release } from './harness/pin.js';
import { benchScheduler, joinAsleep, joinSpinning } from './harness/scheduler.js';
import { percentiles, ratio, row } from './harness/stats.js';

export const describe = 'one job of 64 bytes there and back, beside a word between two threads in C';

const DEADLINE = { deadlineMs: 1000 };

/** Times `count` round trips into `tookNs`. */
function roundTrips({ scheduler, tasks, join }, payload, tookNs, count) {
  const { echo } = tasks;
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const frame = scheduler.beginFrame(DEADLINE);
    const { input } = echo;
    input.number = i;
    input.payload.set(payload);
    const job = frame.submit(echo);
    join(frame);
    if (job.output.number !== i) throw new Error('another job’s answer came back');
    tookNs[i] = (performance.now() - start) * 1e6;
  }
  return percentiles(tookNs, count);
}

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const counts = quick ? { futex: 1000, spin: 10_000 } : { futex: 10_000, spin: 200_000 };
  const program = compile('ping_pong');
  const notes = program === null ? [NO_COMPILER] : [];
  const payload = new Uint8Array(60).fill(7);
  const tookNs = new Float64Array(Math.max(counts.futex, counts.spin));
  const rows = [];
  let isolated = true;
  for (const [how, spinUs, join] of [
    ['futex', 0, joinAsleep],
    ['spin', 1000, joinSpinning],
  ]) {
    const what = how === 'futex' ? 'worker parked, host asleep' : 'both sides spinning';
    const set = { ...(await benchScheduler({ spinUs })), join };
    for (let i = 0; i < 3; i++) roundTrips(set, payload, tookNs, counts[how]);
    isolated = isolate('bench') && isolated;
    roundTrips(set, payload, tookNs, counts[how]);
    const prefix = isolated ? ISOLATED_COMMAND : [];
    const ours = [];
    const theirs = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(roundTrips(set, payload, tookNs, counts[how]));
      if (program !== null) {
        const [command, ...args] = [...prefix, program, how, String(counts[how]), '1000'];
        theirs.push(runJson(command, args));
      }
    }
    release();
    await set.scheduler.close();
    for (const p of ['p50', 'p99', 'p999']) {
      rows.push(
        row(
          `${what}, ${p}`,
          'µs',
          ours.map((round) => round[p] / 1000),
        ),
      );
      if (program === null) continue;
      rows.push(
        row(
          `  in C (${how}), ${p}`,
          'µs',
          theirs.map((round) => round[p] / 1000),
        ),
      );
      rows.push(
        ratio(
          '  ratio',
          ours.map((r) => r[p]),
          theirs.map((r) => r[p]),
        ),
      );
    }
  }
  notes.push(isolated ? ISOLATED : NOT_ISOLATED);
  return { rows, notes };
}
