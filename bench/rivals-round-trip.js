import { compile, NO_COMPILER, runJson } from './harness/compile.js';
import { cannots, contest } from './harness/contest.js';
import { alsoOnNode, rivalsAtHand, rowsOf } from './harness/rival-rows.js';
import { row } from './harness/stats.js';

export const describe = 'one job of 64 bytes there and back, beside other pools, nobody bound to a CPU';

const OURS = [
  { label: 'ours, normal, host in its event loop', way: 'join', priority: 'normal', spinUs: 0 },
  { label: 'ours, normal, host asleep', way: 'joinSync', priority: 'normal', spinUs: 0 },
  { label: 'ours, high, host asleep', way: 'joinSync', priority: 'high', spinUs: 0 },
  { label: 'ours, both sides spinning', way: 'poll', priority: 'normal', spinUs: 1000, spins: true },
];

export async function run({ quick }) {
  const rounds = quick ? 2 : 7;
  const limits = quick ? { count: 300, ms: 300 } : { count: 10_000, ms: 1000 };
  const { list, notes } = rivalsAtHand(1);
  const ours = OURS.map(({ label, way, priority, spinUs, spins = false }) => ({
    ...{ label, module: 'frame-deadline', options: { priority, spinUs }, node: process.execPath },
    ...{ ours: true, spins, argument: { ...limits, way } },
  }));
  const entrants = [...ours, ...alsoOnNode(ours.slice(1, 4), list), ...list].map((entrant) => ({
    ...{ what: 'roundTrips', argument: limits, spins: entrant.module === 'knitting' },
    ...entrant,
    warmUp: { ...limits, ...entrant.argument },
  }));
  const program = compile('ping_pong');
  if (program === null) notes.push(NO_COMPILER);
  const inC = { futex: [], spin: [] };
  const count = String(limits.count);
  const { found, cpuMs } = await contest(entrants, rounds, {
    before(_contestant, { label }) {
      if (program === null || label !== OURS[0].label) return;
      for (const how of ['futex', 'spin']) inC[how].push(runJson(program, [how, count, '300']));
    },
  });
  const rows = ['p50', 'p99', 'p999'].flatMap((p) => [
    ...rowsOf(found, { what: `, ${p}`, unit: 'µs', of: (round) => round[p] / 1000, best: 'low', among: sameKind }),
    ...Object.entries(inC).flatMap(([how, all]) =>
      all.length === 0
        ? []
        : [
            row(
              `in C (${how}), bound, ${p}`,
              'µs',
              all.slice(1).map((round) => round[p] / 1000),
            ),
          ],
    ),
  ]);
  notes.push(...cannots(found), 'rivals: the host in its event loop, one job at a time, one worker; policy as usual');
  return { rows, notes, helpersCpuMs: cpuMs };
}

// parked against parked, spinning against spinning
const sameKind = (other, ours) => other.spins === ours.spins;
