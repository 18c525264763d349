/**
 * Counters in shared memory that only grow: one writer, any number of readers, exact to 2^53, two 32-bit words each.
 *
 *     base + 0   low: the count modulo 2^32
 *     base + 1   high: 2 * floor(count / 2^32), plus 1 while the low word is going round
 *
 * An increment is one plain load and one plain store (they do not tear: ECMA-262, aligned 32 bits); only when the low
 * word goes round, once in 2^32, are three atomic stores made. While the high word is odd the low word tells by itself
 * on which side of the wrap it is, because one step is less than 2^31: so a reader needs no luck, and a writer that
 * died in the middle leaves a count that is exact.
 *
 * What was counted before an atomic store is seen by whoever read that store. For the rule that counts each job once
 * although its worker may die at any step, see {@link valueAfterIncrement} and {@link redoIncrement}.
 */

/** Words of one counter. Fresh memory (all 0) is a counter at 0. */
export const COUNTER_WORDS = 2;

const READ_ATTEMPTS = 4;
const TWO_POW_32 = 4_294_967_296;

/** Counts one. For the counter's one writer; never allocates, blocks or throws. */
export function increment(words: Int32Array, base: number): void {
  const low = words[base]!;
  const next = (low + 1) | 0;
  if (next !== 0) words[base] = next;
  else wrap(words, base, 0);
}

/** Counts `amount`, 0 to 2^31 - 1, in one step. For the counter's one writer; never allocates, blocks or throws. */
export function addToCounter(words: Int32Array, base: number, amount: number): void {
  const low = words[base]!;
  const next = (low + amount) | 0;
  if (next >>> 0 >= low >>> 0) words[base] = next;
  else wrap(words, base, next);
}

function wrap(words: Int32Array, base: number, nextLow: number): void {
  const high = words[base + 1]!;
  Atomics.store(words, base + 1, high | 1);
  Atomics.store(words, base, nextLow);
  Atomics.store(words, base + 1, ((high | 1) + 1) | 0); // release
}

/**
 * The count, exact to 2^53. Any thread; never blocks. It looks again only if the low word went round meanwhile, which
 * can happen twice at most unless this thread sleeps for 2^32 increments between two loads; after four looks it gives
 * a count that was certainly reached.
 */
export function readCounter(words: Int32Array, base: number): number {
  let high = Atomics.load(words, base + 1); // acquire
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
    const low = Atomics.load(words, base);
    const highAfter = Atomics.load(words, base + 1);
    if (highAfter === high) {
      const wrapped = (high & 1) === 1 && low >= 0;
      return ((high >>> 1) + (wrapped ? 1 : 0)) * TWO_POW_32 + (low >>> 0);
    }
    high = highAfter;
  }
  return (high >>> 1) * TWO_POW_32;
}

/**
 * The low word as the next {@link increment} will leave it. The writer stores it beside the job (in its slot) before it
 * ends the job, and increments after: then whoever finds a dead worker's job can tell whether it was counted.
 */
export function valueAfterIncrement(words: Int32Array, base: number): number {
  const low = words[base]!;
  return (low + 1) | 0;
}

/**
 * Closes a wrap that a dead writer left open; does nothing to a counter in order. The count that readers see stays the
 * same. For one thread that knows the writer to be dead, before anybody writes this counter again. Idempotent.
 */
export function repairCounter(words: Int32Array, base: number): void {
  const high = Atomics.load(words, base + 1);
  if ((high & 1) === 0) return;
  const low = Atomics.load(words, base);
  // low below 2^31: it went round, so forward; else it did not, so back
  Atomics.store(words, base + 1, (low >= 0 ? high + 1 : high - 1) | 0); // release
}

/**
 * Makes the increment that a dead writer announced with `recordedLow` (from {@link valueAfterIncrement}), unless it was
 * made already, and closes a wrap that was broken off. Idempotent: called again, also after it was itself broken off at
 * any step, it gives the same count. Returns whether this call counted.
 *
 * For one thread (the supervisor) that knows the writer to be dead or to write no more.
 */
export function redoIncrement(words: Int32Array, base: number, recordedLow: number): boolean {
  repairCounter(words, base);
  const low = Atomics.load(words, base); // acquire
  if (low !== ((recordedLow - 1) | 0)) return false;
  increment(words, base);
  return true;
}
