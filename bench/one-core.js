import { cannots, contest } from './harness/contest.js';
import { rivalsAtHand } from './harness/rival-rows.js';
import { ratio, row } from './harness/stats.js';

export const describe = 'one job of 64 bytes there and back where host and worker share one CPU';

const BOUND = ['taskset', '-c', '0'];

export async function run({ quick }) {
  const rounds = quick ? 2 : 7;
  const limits = quick ? { count: 300, ms: 200 } : { count: 5000, ms: 500 };
  const { list, notes } = rivalsAtHand(1);
  const own = (label, way, spinUs, prefix = BOUND) => ({
    ...{ label, module: 'frame-deadline', options: { spinUs }, node: process.execPath, prefix },
    argument: { ...limits, way },
  });
  const entrants = [
    own('ours, parks, host asleep', 'joinSync', 0),
    own('ours, parks, host asleep, on all CPUs', 'joinSync', 0, []),
    own('ours, spins 50 µs, host asleep', 'joinSync', 50),
    own('ours, spins 1000 µs, host asleep', 'joinSync', 1000),
    own('ours, spins 1000 µs, host polls', 'poll', 1000),
    ...list.filter(({ sharesMemory }) => sharesMemory).map((rival) => ({ ...rival, prefix: BOUND, argument: limits })),
  ].map((entrant) => ({ ...entrant, what: 'roundTrips', warmUp: entrant.argument }));
  const { found, cpuMs } = await contest(entrants, rounds);
  const p50 = ({ results }) => results.map((result) => result.p50 / 1000);
  const there = found.filter(({ results, cannot }) => cannot === null && results.length > 0);
  const [parked] = there;
  const rows = there.flatMap((one) => [
    row(`${one.entrant.label}, p50`, 'µs', p50(one)),
    ...(one === parked ? [] : [ratio('  ratio to parked on this CPU', p50(one), p50(parked))]),
  ]);
  notes.push(...cannots(found), 'bound by taskset to CPU 0, both threads, policy as usual');
  return { rows, notes, helpersCpuMs: cpuMs };
}
