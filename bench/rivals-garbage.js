import { cannots, contest } from './harness/contest.js';
import { rivalsAtHand, rowsOf } from './harness/rival-rows.js';

export const describe = 'heap that a job allocates on the host, and time in collections of both threads, 64 in flight';

export async function run({ quick }) {
  const rounds = quick ? 1 : 5;
  const ms = quick ? 100 : 1000;
  const { list, notes } = rivalsAtHand(64);
  const ours = [
    { label: 'ours, host asleep', way: 'joinSync' },
    { label: 'ours, host in its event loop', way: 'join' },
  ].map(({ label, way }) => ({
    ...{ label, module: 'frame-deadline', options: { spinUs: 50 }, node: process.execPath, ours: true },
    argument: { ms, way },
  }));
  const entrants = [...ours, ...list].map((entrant) => ({ argument: { ms }, ...entrant, what: 'garbage' }));
  for (const entrant of entrants) entrant.warmUp = entrant.argument;
  const { found, cpuMs } = await contest(entrants, rounds);
  const rows = [
    ...rowsOf(found, { unit: 'bytes a job', of: ({ bytesPerJob }) => bytesPerJob, best: 'low', among: () => false }),
    ...rowsOf(found, {
      what: ', collections',
      unit: 'ms per 100 k jobs',
      of: ({ collectionsMs, jobs }) => (collectionsMs * 100_000) / jobs,
      best: 'low',
      among: () => false,
    }),
  ];
  notes.push(...cannots(found), 'heap: of the host; collections: host and worker (v8.GCProfiler)');
  return { rows, notes, helpersCpuMs: cpuMs };
}
