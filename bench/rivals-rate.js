import { cannots, contest } from './harness/contest.js';
import { alsoOnNode, rivalsAtHand, rowsOf } from './harness/rival-rows.js';

export const describe = 'empty jobs a second, 64 in flight, beside other pools, nobody bound to a CPU';

const OURS = [
  { label: 'ours, host polls', way: 'poll', spinUs: 50 },
  { label: 'ours, host asleep', way: 'joinSync', spinUs: 50 },
  { label: 'ours, host in its event loop', way: 'join', spinUs: 50 },
];

export async function run({ quick }) {
  const rounds = quick ? 2 : 7;
  const ms = quick ? 100 : 700;
  const { list, notes } = rivalsAtHand(64);
  const ours = OURS.map(({ label, way, spinUs }) => ({
    ...{ label, way, module: 'frame-deadline', options: { priority: 'normal', spinUs }, node: process.execPath },
    ours: true,
  }));
  // the warm-up finds out which way is faster for a rival
  const entrants = [...ours, ...alsoOnNode(ours, list), ...list].map((entrant) => ({
    ...entrant,
    ...{ what: 'rate', argument: { ms, way: entrant.way }, warmUp: { ms, way: entrant.way, choose: true } },
  }));
  const { found, cpuMs } = await contest(entrants, rounds);
  const of = ({ perSecond }) => perSecond / 1e6;
  const options = { unit: 'M jobs/s', of, best: 'high' };
  const rows = [
    ...rowsOf(found, { ...options, among: ({ sharesMemory }) => sharesMemory }),
    ...rowsOf(found, { ...options, among: ({ sharesMemory }) => !sharesMemory }).filter(({ unit }) => unit === '×'),
  ];
  notes.push(...cannots(found), 'ours: frames of 64, each joined before the next begins; telemetry on');
  notes.push('rivals: 64 at once with Promise.all, or 64 in flight all the time, whichever is faster');
  return { rows, notes, helpersCpuMs: cpuMs };
}
