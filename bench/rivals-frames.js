import { cannots, contest } from './harness/contest.js';
import { stepsFor } from './harness/cpu-steps.js';
import { startHogs } from './harness/hogs.js';
import { rivalsAtHand } from './harness/rival-rows.js';

export const describe =
  'frames missed: 32 jobs of 0.1 ms of CPU time, 60 times a second, beside CPU hogs and other pools';

const FRAME = { pieces: 32, hz: 60, deadlineMs: 16 };
const PIECE_US = 100;
const WAYS = ['promises', 'one message'];
const WORDS = { promises: '32 promises', 'one message': 'one message' };
const RAISED = ['nice', '-n', '-11'];

export async function run({ quick }) {
  const rounds = quick ? 1 : 5;
  const counts = quick ? { long: 12, short: 6, rival: 6 } : { long: 1200, short: 240, rival: 72 };
  const frame = { ...FRAME, steps: stepsFor(PIECE_US) };
  const { list, notes } = rivalsAtHand(FRAME.pieces);
  const entrant = (what, count, more) => ({
    ...{ what: 'frames', warmUp: { ...frame, count: Math.min(30, count), ...more.ways } },
    ...{ argument: { ...frame, count, ...more.ways }, label: what, node: process.execPath },
    ...more,
  });
  const own = (priority, count, label, prefix = []) =>
    entrant(`ours, ${priority}, ${label}`, count, { module: 'frame-deadline', options: { priority }, prefix });
  const entrants = [
    own('realtime', counts.long, 'host raised', RAISED),
    own('high', counts.long, 'host raised', RAISED),
    own('realtime', counts.short, 'host normal'),
    own('high', counts.short, 'host normal'),
    own('normal', counts.short, 'host normal'),
    ...list.flatMap((rival) => waysOf(rival, quick).map((more) => entrant(more.label, counts.rival, more))),
  ];
  let hogs = null;
  let hogsCpuMs = 0;
  const { found, cpuMs } = await contest(entrants, rounds, {
    async begin() {
      hogs = await startHogs();
    },
    async end() {
      hogsCpuMs = await hogs.end();
    },
  });
  const rows = found.filter(({ results }) => results.length > 0).flatMap(rowsOf);
  notes.push(...cannots(found), 'first column: all rounds pooled; missed: not done 16 ms after the frame began');
  notes.push('raised: the process started with nice -n -11, so that every thread of it begins there');
  notes.push('piscina’s niceIncrement can only lower a worker, the others offer nothing');
  notes.push(`${rounds} rounds, all in turn, beside ${hogs.count} hogs; rivals paced by setTimeout, ours by its loop`);
  return { rows, notes, helpersCpuMs: cpuMs + hogsCpuMs };
}

/** A rival with its best ways of batching, and once more with what can be done for it from outside. */
function waysOf(rival, quick) {
  const ways = WAYS.map((way) => ({ ...rival, label: `${rival.label}, ${WORDS[way]}`, ways: { way } }));
  if (quick) return ways.slice(1);
  const [, batch] = ways;
  return [...ways, { ...batch, label: `${batch.label}, whole process raised`, prefix: RAISED }];
}

function rowsOf({ entrant, results }) {
  const shares = results.map(({ missed, count }) => (100 * missed) / count).sort((a, b) => a - b);
  const missed = results.reduce((sum, round) => sum + round.missed, 0);
  const frames = results.reduce((sum, round) => sum + round.count, 0);
  return [
    {
      ...{ what: entrant.label, unit: '%', median: (100 * missed) / frames, min: shares[0], max: shares.at(-1) },
      ...{ rounds: results.length, note: `${missed} of ${frames}` },
    },
  ];
}
