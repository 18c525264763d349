/** Causes, segments and figures in words, and the colour and shape that stand for each. */
import { MISS_CAUSES, type MissCause, type Outcome } from '../../telemetry/outcomes.js';
import type { Culprit, HistogramData, Miss, MissSegments } from '../../telemetry/telemetry-data.js';

/** `short` names it, `long` goes on after "because of". */
export const CAUSE_WORDS: Readonly<Record<MissCause, { short: string; long: string }>> = {
  lateSubmit: { short: 'late submit', long: 'the job was submitted when too little time was left to run it' },
  waitingBehind: { short: 'waiting behind', long: 'other jobs held the worker' },
  wakeup: { short: 'wakeup', long: 'the worker was idle, was rung, and did not run in time' },
  preempted: { short: 'preempted', long: 'the operating system ran something else meanwhile' },
  gc: { short: 'garbage collection', long: 'garbage was collected during the job' },
  overrun: { short: 'overrun', long: 'the task itself took longer than its budget' },
  hung: { short: 'hung', long: 'the job did not end and its worker was replaced' },
  crashed: { short: 'crashed', long: 'the worker died with the job, or close() ended it' },
  shed: { short: 'shed', long: 'it was dropped to make room for another job' },
  unknown: { short: 'unknown', long: 'the signals that would tell are missing here' },
};

/** The same of the main thread's own misses: ticks that got no frame. */
const MAIN_CAUSE_WORDS: Readonly<Partial<Record<MissCause, string>>> = {
  waitingBehind: 'what came before was not over',
  wakeup: 'something else held the event loop',
  gc: 'garbage was collected on the main thread',
  preempted: 'the operating system ran something else than the main thread',
};

/** Why a job missed, in words. */
export function causeLong({ lane, task, worker, cause }: Pick<Miss, 'lane' | 'task' | 'worker' | 'cause'>): string {
  const isTick = lane === 'main' && worker === 'main' && task === 'frame';
  return (isTick ? MAIN_CAUSE_WORDS[cause] : undefined) ?? CAUSE_WORDS[cause].long;
}

export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  onTime: 'on time',
  late: 'late',
  expired: 'expired',
  failed: 'failed',
  cancelled: 'cancelled',
  lost: 'lost',
};

/** Symbol of each cause, in a box from -5 to 5: told apart without colour. */
export const CAUSE_SHAPES: Readonly<Record<MissCause | 'none', string>> = {
  lateSubmit: 'M-4.5-4.5h9L0 4.5z',
  waitingBehind: 'M-4-4h8v8h-8z',
  wakeup: 'M0-5 4.8 4.2h-9.6z',
  preempted: 'M0-5.2 5.2 0 0 5.2-5.2 0z',
  gc: 'M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z',
  overrun: 'M-1.5-5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z',
  hung: 'M-5-5h10L-5 5h10z',
  crashed: 'M-3.5-5 0-1.5 3.5-5 5-3.5 1.5 0 5 3.5 3.5 5 0 1.5-3.5 5-5 3.5-1.5 0-5-3.5z',
  shed: 'M-4.5-3h9v2h-3.5V5h-2V-1h-3.5z',
  unknown: 'M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0zM-2 0a2 2 0 1 1 4 0a2 2 0 1 1-4 0z',
  none: 'M-4-1.2h8v2.4h-8z',
};

/** Each part of the response time, in the order in which it is spent; its colour is that of the cause. */
export const SEGMENTS: readonly { key: keyof MissSegments; name: string; cause: MissCause }[] = [
  { key: 'wakeupUs', name: 'wakeup', cause: 'wakeup' },
  { key: 'waitingBehindUs', name: 'waiting behind', cause: 'waitingBehind' },
  { key: 'gcUs', name: 'garbage collection', cause: 'gc' },
  { key: 'preemptedUs', name: 'preempted', cause: 'preempted' },
  { key: 'onCpuUs', name: 'on CPU', cause: 'overrun' },
  { key: 'unattributedUs', name: 'unattributed', cause: 'unknown' },
];

/** `12 µs`, `1.24 ms`, `16.7 ms`, `1.20 s`; a dash for none. */
export function durationText(us: number | null): string {
  if (us === null || !Number.isFinite(us)) return '–';
  const size = Math.abs(us);
  const sign = us < 0 ? '−' : '';
  if (size < 999.5) return `${sign}${size >= 9.95 || size === 0 ? Math.round(size) : size.toFixed(1)} µs`;
  if (size < 999_500) return `${sign}${threeDigits(size / 1e3)} ms`;
  return `${sign}${threeDigits(size / 1e6)} s`;
}

/** With a thin space between thousands. */
export function countText(count: number): string {
  return `${count}`.replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

/** `0 %`, `0.12 %`, `12 %`; never `0 %` for what is not 0, nor `100 %` for what is not all. */
export function shareText(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  if (part === 0) return '0 %';
  if (percent < 0.01) return '< 0.01 %';
  if (part < whole && percent > 99.99) return '> 99.99 %';
  return `${percent < 9.995 ? Number(percent.toFixed(2)) : Number(percent.toFixed(1))} %`;
}

export function fpsText(fps: number | null): string {
  return fps === null ? '–' : `${threeDigits(fps)} fps`;
}

/** `garbage collection 3, overrun 1`: most frequent first. */
export function causesText(causes: Readonly<Record<MissCause, number>>): string {
  const found = causesByCount(causes).map(([cause, count]) => `${CAUSE_WORDS[cause].short} ${countText(count)}`);
  return found.length === 0 ? '–' : found.join(', ');
}

export function causesByCount(causes: Readonly<Record<MissCause, number>>): [cause: MissCause, count: number][] {
  return MISS_CAUSES.map((cause): [MissCause, number] => [cause, causes[cause]])
    .filter(([, count]) => count > 0)
    .sort((a, b) => b[1] - a[1]);
}

/** `render.tile`, or what of the main thread: `the main thread (frame callback)`. */
export function culpritName({ kind, lane, task }: Culprit): string {
  return kind === 'job' ? `${lane}.${task}` : `the main thread (${task})`;
}

/** Lower end of the lowest bucket, in microseconds; null where nothing was counted. */
export function lowestUs({ buckets }: HistogramData, rangeNs: (index: number) => { lowest: number }): number | null {
  const first = buckets[0];
  return first === undefined ? null : rangeNs(first[0]).lowest / 1000;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
