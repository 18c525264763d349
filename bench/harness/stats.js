/** Value at quantile q (0 to 1) of a sorted array: the nearest rank. */
export function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))];
}

/** p50, p90, p99, p99.9 and max of the first `count` samples, a typed array. Sorts them in place. */
export function percentiles(samples, count = samples.length) {
  const sorted = samples.subarray(0, count).sort();
  return {
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p99: quantile(sorted, 0.99),
    p999: quantile(sorted, 0.999),
    max: sorted[count - 1],
  };
}

/** Median of the rounds with their extremes: what every figure is reported as. */
export function spread(rounds) {
  const sorted = Float64Array.from(rounds).sort();
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1], rounds: sorted.length };
}

/** One line of a result: a figure, its unit, and how it varied from round to round. */
export function row(what, unit, rounds, note = '') {
  return { what, unit, ...spread(rounds), note };
}

/** Ratio of two figures taken in turn: round i of `a` by round i of `b`. */
export function ratio(what, a, b, note = '') {
  return row(
    what,
    '×',
    a.map((value, i) => value / b[i]),
    note,
  );
}
