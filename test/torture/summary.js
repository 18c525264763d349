/** @typedef {import('./plan.js').Plan} Plan */

/** One line that tells what a round did. */
export function summaryOf(
  /** @type {Plan} */ { round, temper, options, actions },
  /** @type {import('./round.js').Evidence | null} */ evidence,
  /** @type {number} */ ms,
) {
  const threads = options.workers?.reduce((sum, { count }) => sum + count, 0) ?? 'derived';
  const counts = evidence === null ? 'not ended' : outcomesOf(evidence);
  const faults = ['terminate', 'stop', 'stallMain', 'stallSupervisor', 'reload', 'abort', 'close']
    .map((kind) => [kind, actions.filter((action) => action.kind === kind).length])
    .filter(([, count]) => Number(count) > 0)
    .map(([kind, count]) => `${kind} ${count}`);
  const rss = Math.round(process.memoryUsage.rss() / 2 ** 20);
  return `round ${round} ${temper}: lanes ${options.lanes.length}, workers ${threads}; ${counts}; ${faults.join(', ') || 'no faults'}; ${Math.round(ms)} ms, ${rss} MiB`;
}

function outcomesOf(/** @type {import('./round.js').Evidence} */ { jobs, deaths }) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { refused, outcome } of jobs) {
    const key = refused === false ? String(outcome) : 'refused';
    counts[key] = (counts[key] ?? 0) + 1;
  }
  const told = Object.entries(counts).map(([key, count]) => `${key} ${count}`);
  return `jobs ${jobs.length} (${told.join(', ')}), deaths ${deaths}`;
}
