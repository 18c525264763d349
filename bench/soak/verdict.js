// What the samples of a soak say: whether anything grew, and whether more was missed than is allowed.

const MIB = 1024 * 1024;
/** Threads are started, code is compiled and pools are filled in this first part. */
const WARM_UP_SHARE = 0.2;
const WARM_UP_MIN_S = 5;
const WARM_UP_MAX_S = 120;

/**
 * What must stay as it is, from the first third after the warm-up to the last. The heap is compared by its lowest samples, which
 * come right after collections; all else by medians.
 */
const KEPT = [
  { key: 'rss', what: 'resident memory', of: 'median', unit: 'MiB', by: MIB, mayGrow: 16 },
  { key: 'heapUsed', what: "main thread's heap", of: 'lowest', unit: 'MiB', by: MIB, mayGrow: 4 },
  { key: 'arrayBuffers', what: "main thread's array buffers", of: 'median', unit: 'MiB', by: MIB, mayGrow: 1 },
  { key: 'threads', what: 'threads', of: 'median', unit: '', by: 1, mayGrow: 0 },
  { key: 'files', what: 'open files', of: 'median', unit: '', by: 1, mayGrow: 0 },
  { key: 'handles', what: "main thread's handles", of: 'median', unit: '', by: 1, mayGrow: 0 },
];

/** First and last third of the samples after the warm-up; null with fewer than six of them. */
function thirds(samples) {
  const endS = samples.at(-1)?.atS ?? 0;
  const warmS = Math.min(Math.max(WARM_UP_SHARE * endS, WARM_UP_MIN_S), WARM_UP_MAX_S);
  const kept = samples.filter(({ atS }) => atS >= warmS);
  const size = Math.floor(kept.length / 3);
  return size < 2 ? null : { first: kept.slice(0, size), last: kept.slice(-size) };
}

const median = (sorted) => sorted[(sorted.length - 1) >> 1];

/** One line for each of `KEPT`: `{ what, unit, from, to, mayGrow, grew }`; `from` null where it could not be read. */
export function growth(samples) {
  const parts = thirds(samples);
  return KEPT.map(({ key, what, of, unit, by, mayGrow }) => {
    const read = (part) => {
      const sorted = part.map((sample) => sample[key] ?? Number.NaN).sort((a, b) => a - b);
      if (sorted.some(Number.isNaN)) return null;
      return (of === 'lowest' ? sorted[0] : median(sorted)) / by;
    };
    const from = parts === null ? null : read(parts.first);
    const to = parts === null ? null : read(parts.last);
    return { what, unit, from, to, mayGrow, grew: from !== null && to !== null && to - from > mayGrow };
  });
}

/**
 * What is wrong, a sentence each; nothing if all is well.
 * @param report what `frame-deadline demo --json` printed, or null
 * @param limits `{ maxXruns, maxMissPercent }`, misses of each lane and frames of the loop alike
 */
export function faults(samples, report, limits) {
  const found = growth(samples)
    .filter(({ grew }) => grew)
    .map(({ what, unit, from, to }) => `${what} grew from ${from.toFixed(1)} to ${to.toFixed(1)} ${unit}`.trim());
  if (thirds(samples) === null) found.push(`${samples.length} samples are too few to tell whether anything grew`);
  if (report === null) return [...found, 'the demo ended without a report'];
  if (report.interrupted) found.push('the demo was interrupted');
  const { xruns, identicalToOffline } = report.audio;
  if (xruns > limits.maxXruns) found.push(`${xruns} xruns, ${limits.maxXruns} allowed`);
  if (identicalToOffline === false) found.push('what was played differs from the offline rendering');
  for (const { what, misses, of } of missed(report)) {
    const percent = (100 * misses) / Math.max(of, 1);
    if (percent > limits.maxMissPercent) {
      found.push(`${what}: ${percent.toFixed(3)} % missed, ${limits.maxMissPercent} % allowed`);
    }
  }
  return found;
}

/** Misses of each lane, and frames of the loop that were missed or dropped. */
export function missed({ lanes, frames }) {
  const rows = Object.entries(lanes).map(([what, { misses, accepted }]) => ({
    what: `${what} jobs`,
    misses,
    of: accepted,
  }));
  return [...rows, { what: 'frames', misses: frames.missed, of: frames.intended }];
}
