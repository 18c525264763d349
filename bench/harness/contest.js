import { start } from './contestants.js';

/**
 * Starts all entrants, then rounds of all in turn. An entrant is a contestant (see `start`) with `what` is measured of
 * it and the `argument`; `warmUp` is the argument of the first measure, which is not counted. `before` and `after` are
 * told the contestant around each turn. Returns what the rounds found, per entrant in order, or why one could not.
 */
export async function contest(entrants, rounds, { before = nothing, after = nothing } = {}) {
  const found = entrants.map((entrant) => ({ entrant, results: [], cannot: null, contestant: null }));
  let cpuMs = 0;
  for (const one of found) await attempt(one, async () => (one.contestant = await start(one.entrant)));
  for (let round = -1; round < rounds; round++) {
    for (const one of found) {
      if (one.cannot !== null) continue;
      const { entrant, contestant } = one;
      await attempt(one, async () => {
        await before(contestant, entrant);
        const result = await contestant.ask(entrant.what, round < 0 ? entrant.warmUp : entrant.argument);
        await after(contestant, entrant);
        if (round >= 0) one.results.push(result);
      });
    }
  }
  for (const { contestant } of found) cpuMs += (await contestant?.close().catch(() => 0)) ?? 0;
  return { found, cpuMs };
}

async function attempt(one, body) {
  try {
    await body();
  } catch (error) {
    one.cannot = String(error.message ?? error).split('\n', 1)[0];
  }
}

const nothing = () => {};

/** Those that took part. */
export const took = (found) => found.filter(({ cannot }) => cannot === null);

/** A line for each that did not. */
export const cannots = (found) =>
  found.filter(({ cannot }) => cannot !== null).map(({ entrant, cannot }) => `${entrant.label}: cannot (${cannot})`);
