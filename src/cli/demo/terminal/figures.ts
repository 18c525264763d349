/** A duration in at most 7 characters: `12 µs`, `1.24 ms`, `16.7 ms`, `1.20 s`, `-3.1 ms`; `–` for none. */
export function formatUs(us: number | null): string {
  if (us === null || !Number.isFinite(us)) return '–';
  const size = Math.abs(us);
  const sign = us < 0 ? '-' : '';
  if (size < 999.5) return `${sign}${Math.round(size)} µs`;
  if (size < 999_500) return `${sign}${threeDigits(size / 1e3)} ms`;
  return `${sign}${threeDigits(Math.min(size / 1e6, 9999))} s`;
}

/** As `formatUs`, without the space: for narrow places. */
export function formatUsTight(us: number | null): string {
  return formatUs(us).replace(' ', '');
}

/** A count in at most 5 characters: `999`, `12.3k`, `4.56M`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return '–';
  const whole = Math.round(Math.max(0, count));
  if (whole < 10_000) return `${whole}`;
  if (whole < 999_500) return `${threeDigits(whole / 1e3)}k`;
  if (whole < 999_500_000) return `${threeDigits(whole / 1e6)}M`;
  return `${threeDigits(Math.min(whole / 1e9, 999))}G`;
}

/** Minutes and seconds: `0:04`, `12:30`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

/** CPU numbers as in a Linux CPU list: `0-2,5`; `any` for none. */
export function formatCpus(cpus: readonly number[]): string {
  if (cpus.length === 0) return 'any';
  const sorted = [...cpus].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let i = 0; i < sorted.length; ) {
    let end = i;
    while (end + 1 < sorted.length && sorted[end + 1]! <= sorted[end]! + 1) end++;
    parts.push(end === i ? `${sorted[i]}` : `${sorted[i]}-${sorted[end]}`);
    i = end + 1;
  }
  return parts.join(',');
}

/** Causes with a count, most frequent first. */
export function sortedCauses(causes: Readonly<Record<string, number>>): [cause: string, count: number][] {
  return Object.entries(causes)
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}
