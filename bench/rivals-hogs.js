import { compile, NO_COMPILER, runJson } from './harness/compile.js';
import { cannots, contest } from './harness/contest.js';
import { startHogs } from './harness/hogs.js';
import { rivalsAtHand, rowsOf } from './harness/rival-rows.js';
import { row } from './harness/stats.js';

export const describe = 'one job of 64 bytes there and back beside CPU hogs, beside other pools';

/** What everybody's main thread runs as, set from outside; the rivals' workers cannot be given a priority. */
const HOSTS = [
  { host: 'host realtime', policy: 'rr', number: 10, places: ['0:rr:10', '1:rr:10'] },
  { host: 'host normal', policy: 'nice', number: 0, places: ['0:nice:0', '1:rr:10'] },
];

export async function run({ quick }) {
  const rounds = quick ? 1 : 5;
  const limits = quick ? { count: 200, ms: 100 } : { count: 4000, ms: 1000 };
  const { list, notes } = rivalsAtHand(1);
  const ours = ['realtime', 'high', 'normal'].map((priority) => ({
    ...{ label: `ours, ${priority}`, module: 'frame-deadline', options: { priority }, node: process.execPath },
    ...{ ours: true, argument: { ...limits, way: 'joinSync' } },
  }));
  const program = compile('ping_pong');
  if (program === null) notes.push(NO_COMPILER);
  const hosts = quick ? HOSTS.slice(0, 1) : HOSTS;
  const entrants = [...ours, ...list].map((entrant) => ({ argument: limits, ...entrant, what: 'roundTrips' }));
  for (const entrant of entrants) entrant.warmUp = { ...entrant.argument, count: 300 };
  const inC = hosts.map(() => []);
  let hogs = null;
  let hogsCpuMs = 0;
  const { founds, cpuMs } = await contest(entrants, rounds, {
    variants: hosts,
    async begin() {
      hogs = await startHogs();
    },
    async end() {
      hogsCpuMs = await hogs.end();
    },
    async before(contestant, entrant, variant) {
      const { host, policy, number, places } = variant;
      if (!(await contestant.ask('setHostPolicy', { policy, number }))) throw new Error(`${host}: refused`);
      if (program === null || entrant !== entrants[0]) return;
      inC[hosts.indexOf(variant)].push(runJson(program, ['futex', String(limits.count), '300', ...places]));
    },
    after: (contestant) => contestant.ask('setHostPolicy', { policy: 'nice', number: 0 }),
  });
  const rows = hosts.flatMap(({ host }, i) =>
    ['p50', 'p99', 'p999'].flatMap((p) => {
      const options = { what: `, ${host}, ${p}`, unit: 'µs', of: (round) => round[p] / 1000, best: 'low' };
      const us = inC[i].slice(1).map((round) => round[p] / 1000);
      const limit = us.length === 0 ? [] : [row(`in C (futex), bound, ${host}, ${p}`, 'µs', us)];
      return [...rowsOf(founds[i], options), ...limit];
    }),
  );
  notes.push(...founds.flatMap(cannots));
  notes.push('host realtime: SCHED_RR 10; in C its two threads bound to CPUs 0 and 1, the second one realtime');
  notes.push(
    `rivals’ workers at default priority: they offer none; ${hogs.count} hogs; nobody else bound; all in turn`,
  );
  return { rows, notes, helpersCpuMs: cpuMs + hogsCpuMs };
}
