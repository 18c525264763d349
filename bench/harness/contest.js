import { start } from './contestants.js';

/**
 * Starts all entrants, then rounds of all in turn. An entrant is a contestant (see `start`) with `what` is measured of
 * it and the `argument`; `warmUp` is the argument of the first measure, which is not counted. Hooks: `begin` when all
 * have started and `end` before they are closed (hogs live between), `before` and `after` each turn, with the contestant,
 * the entrant and the variant. `variants`: each round goes through all of them. Returns, for each variant, what the
 * rounds found per entrant, in order, or why one could not; and the CPU time of all.
 */
export async function contest(entrants, rounds, hooks = {}) {
  const { variants = [null], begin = nothing, end = nothing, before = nothing, after = nothing } = hooks;
  const contestants = await Promise.all(entrants.map((entrant) => start(entrant).catch(messageOf)));
  const founds = variants.map(() =>
    entrants.map((entrant, i) => ({
      ...{ entrant, results: [], contestant: contestants[i] },
      cannot: typeof contestants[i] === 'string' ? contestants[i] : null,
    })),
  );
  await begin();
  for (let round = -1; round < rounds; round++) {
    for (const [i, variant] of variants.entries()) {
      for (const one of founds[i]) await turn(one, round, variant, before, after);
    }
  }
  await end();
  const closed = contestants.filter((one) => typeof one !== 'string').map((one) => one.close().catch(() => 0));
  const cpuMs = (await Promise.all(closed)).reduce((sum, ms) => sum + ms, 0);
  return { founds, found: founds[0], cpuMs };
}

async function turn(one, round, variant, before, after) {
  if (one.cannot !== null) return;
  const { entrant, contestant } = one;
  try {
    await before(contestant, entrant, variant);
    const result = await contestant.ask(entrant.what, round < 0 ? entrant.warmUp : entrant.argument);
    await after(contestant, entrant, variant);
    if (round >= 0) one.results.push(result);
  } catch (error) {
    one.cannot = messageOf(error);
  }
}

const nothing = () => {};
const messageOf = (error) => String(error.message ?? error).split('\n', 1)[0];

/** A line for each that could not take part. */
export const cannots = (found) =>
  found.filter(({ cannot }) => cannot !== null).map(({ entrant, cannot }) => `${entrant.label}: cannot (${cannot})`);
