import { hasChromium, NO_CHROMIUM, openPage, rivalVersion } from './harness/browser.js';
import { startHogs } from './harness/hogs.js';
import { installRivals } from './harness/install-rivals.js';
import { percentiles, ratio, row } from './harness/stats.js';

export const describe = 'a page of Chromium: jobs, round trips and frame misses beside postMessage and comlink';

const OURS = 'frame-deadline';
const ENTRIES = {
  page: 'bench/web/page.js',
  'work.tasks': 'bench/web/work.tasks.js',
  'post-message.worker': 'bench/web/post-message.worker.js',
  'web-worker': 'dist/web-worker.js',
  'web-supervisor': 'dist/web-supervisor.js',
};
const BATCH_JOBS = 256;
const FRAME_JOBS = 32;
const JOB_MS = 0.1;
const HZ = 60;
const DEADLINE_MS = 16;

/** One round of every contestant after the other, `rounds` times; the first does not count. */
async function inTurn(names, rounds, measure) {
  const found = Object.fromEntries(names.map((each) => [each, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const each of names) {
      const result = await measure(each);
      if (round > 0) found[each].push(result);
    }
  }
  return found;
}

/** A figure of each contestant, and how many times ours the rivals' is; `invert` where more is better. */
function compare(rows, names, found, what, unit, figureOf, invert = false) {
  const ours = found[OURS].map(figureOf);
  rows.push(row(`${what}, ${OURS}`, unit, ours));
  for (const each of names.filter((other) => other !== OURS)) {
    const theirs = found[each].map(figureOf);
    rows.push(row(`  ${each}`, unit, theirs));
    if (ours.concat(theirs).every((value) => value > 0)) {
      const better = invert ? ratio('  ratio', ours, theirs) : ratio('  ratio', theirs, ours);
      rows.push({ ...better, note: 'more than 1: ours is better' });
    }
  }
}

export async function run({ quick }) {
  if (!hasChromium()) return { rows: [], notes: [NO_CHROMIUM] };
  const rounds = quick ? 2 : 7;
  const hasComlink = installRivals((line) => console.error(line));
  const names = [OURS, 'postMessage', ...(hasComlink ? ['comlink'] : [])];
  const page = await openPage({
    ...ENTRIES,
    ...(hasComlink ? { 'comlink.worker': 'bench/web/comlink.worker.js' } : {}),
  });
  const rows = [];
  const { steps } = await page.run('open', { names, jobMs: JOB_MS });

  const trips = await inTurn(names, rounds, async (each) =>
    percentiles(Float64Array.from(await page.run('roundTrips', { name: each, count: quick ? 300 : 3000 }))),
  );
  for (const p of ['p50', 'p99']) compare(rows, names, trips, `one job of 64 bytes and back, ${p}`, 'µs', (r) => r[p]);

  const batches = quick ? 10 : 100;
  const rates = await inTurn(names, rounds, (each) => page.run('rate', { name: each, batches, jobs: BATCH_JOBS }));
  compare(rows, names, rates, `empty jobs, ${BATCH_JOBS} at once`, 'jobs/s', (rate) => rate, true);

  let hogsCpuMs = 0;
  for (const load of ['no load added', 'beside CPU hogs']) {
    const hogs = load === 'no load added' ? null : await startHogs();
    try {
      const frames = await inTurn(names, rounds, (each) =>
        page.run('frames', { name: each, jobs: FRAME_JOBS, steps, seconds: quick ? 0.5 : 5, hz: HZ }),
      );
      const onTime = ({ tookMs }) => tookMs.filter((ms) => ms <= DEADLINE_MS).length;
      const missed = (round) => (100 * Math.max(0, round.periods - onTime(round))) / round.periods;
      compare(rows, names, frames, `frames missed, ${load}`, '%', missed);
      const notTaken = names.flatMap((each) => frames[each].map((round) => (100 * round.notTaken) / round.periods));
      rows.push(row('  of these not called by the browser, all contestants', '%', notTaken));
      for (const p of ['p50', 'p99']) {
        const what = `  a frame's jobs, ${load}, ${p}`;
        compare(rows, names, frames, what, 'ms', ({ tookMs }) => percentiles(Float64Array.from(tookMs))[p]);
      }
    } finally {
      hogsCpuMs += (await hogs?.end()) ?? 0;
    }
  }
  const helpersCpuMs = hogsCpuMs + (await page.helpersCpuMs());
  await page.close();
  const notes = [
    `Chromium ${page.version}, headless, cross-origin isolated; one worker each, all in one page, in turn; clocks step by 5 µs`,
    `frames: ${HZ} Hz, ${FRAME_JOBS} jobs of ${JOB_MS} ms each; missed: all answers later than ${DEADLINE_MS} ms after the callback, its forerunner unfinished, or the page not called by the browser`,
    hasComlink ? `comlink ${rivalVersion('comlink')}` : 'SKIPPED: comlink could not be installed',
  ];
  return { rows, notes, helpersCpuMs };
}
