/** Rounds before the memory of the process counts: code is compiled, and the allocator takes what it will keep. */
const WARM_UP_ROUNDS = 20;
/** Rounds that are looked at together, at the beginning and at the end: what they need differs much. */
const SAMPLE_ROUNDS = 20;
/** A scheduler whose memory stays takes several times as much; the allocator's own growth some tenths. */
const MOST_MIB_PER_ROUND = 1;

/**
 * Whether the resident memory of a process stayed flat, from its size in MiB after each round. Fewer than 60 rounds tell
 * nothing.
 * @returns {string[]} faults
 */
export function growthOf(/** @type {readonly number[]} */ rssMib) {
  if (rssMib.length < WARM_UP_ROUNDS + 2 * SAMPLE_ROUNDS) return [];
  const first = median(rssMib.slice(WARM_UP_ROUNDS, WARM_UP_ROUNDS + SAMPLE_ROUNDS));
  const last = median(rssMib.slice(-SAMPLE_ROUNDS));
  const rounds = rssMib.length - WARM_UP_ROUNDS - SAMPLE_ROUNDS;
  const perRound = (last - first) / rounds;
  if (perRound <= MOST_MIB_PER_ROUND) return [];
  return [`memory has grown by ${perRound.toFixed(1)} MiB a round: from ${first} to ${last} MiB in ${rounds} rounds`];
}

function median(/** @type {readonly number[]} */ values) {
  return /** @type {number} */ ([...values].sort((a, b) => a - b)[values.length >> 1]);
}
