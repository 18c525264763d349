import { MISS_CAUSES, type MissCause } from '../../telemetry/outcomes.js';
import type { Miss, Telemetry } from '../../telemetry/telemetry-data.js';
import { CAUSE_WORDS, causesByCount, countText, culpritName } from './words.js';

/** How a run went, in words. */
export interface Verdict {
  readonly ok: boolean;
  /** `14 of 600 frames missed.` */
  readonly headline: string;
  /** `Most often: overrun (8 of 26 missed jobs).` and the like; empty if nothing was missed. */
  readonly details: readonly string[];
}

/** How the run went, most important first: frames where a loop ran, else jobs. */
export function verdictOf(telemetry: Telemetry): Verdict {
  const { lanes, loops, misses } = telemetry;
  const tasks = lanes.flatMap((lane) => lane.tasks);
  const ticks = sum(loops.map((loop) => loop.intendedTicks));
  const dropped = sum(loops.map((loop) => loop.droppedTicks));
  const missedTicks = dropped + sum(loops.map((loop) => loop.missedFrames));
  const missedJobs = sum(tasks.map((task) => task.misses));
  const accepted = sum(tasks.map((task) => task.accepted));
  if (ticks === 0 && accepted === 0) return { ok: true, headline: 'Nothing ran.', details: [] };
  const headline = ticks > 0 ? missedText(missedTicks, ticks, 'frame') : missedText(missedJobs, accepted, 'job');
  const details: string[] = [];
  const causes = causeTotals(telemetry);
  const [most] = causesByCount(causes);
  if (most !== undefined) details.push(mostText(most, sum(Object.values(causes)), misses));
  for (const lane of ticks > 0 ? lanes : []) {
    const missed = sum(lane.tasks.map((task) => task.misses));
    if (missed > 0)
      details.push(`${lane.name}: ${missedText(missed, sum(lane.tasks.map((task) => task.accepted)), 'job')}`);
  }
  if (dropped > 0)
    details.push(
      `${countText(dropped)} of the missed frames ${dropped === 1 ? 'was a tick' : 'were ticks'} that the main thread did not serve.`,
    );
  const lost = sum(tasks.map((task) => task.outcomes.lost));
  if (lost > 0)
    details.push(`${countText(lost)} ${lost === 1 ? 'job was' : 'jobs were'} lost with a worker that hung or crashed.`);
  return { ok: missedTicks === 0 && missedJobs === 0, headline, details };
}

/** Misses of all jobs and dropped ticks by cause. */
export function causeTotals({ lanes, loops }: Telemetry): Record<MissCause, number> {
  const counts = [
    ...lanes.flatMap((lane) => lane.tasks).map((task) => task.missCauses),
    ...loops.map((loop) => loop.droppedCauses),
  ];
  return Object.fromEntries(MISS_CAUSES.map((cause) => [cause, sum(counts.map((of) => of[cause]))])) as Record<
    MissCause,
    number
  >;
}

function mostText([cause, count]: readonly [MissCause, number], total: number, misses: readonly Miss[]): string {
  const behind = mostFrequentCulprit(misses.filter((miss) => miss.cause === cause));
  const because = behind === null ? '' : `, mostly behind ${behind}`;
  return `Most often: ${CAUSE_WORDS[cause].short} (${countText(count)} of ${countText(total)} misses)${because}: ${CAUSE_WORDS[cause].long}.`;
}

function mostFrequentCulprit(misses: readonly Miss[]): string | null {
  const counts = new Map<string, number>();
  for (const { culprit } of misses) {
    if (culprit !== null) counts.set(culpritName(culprit), (counts.get(culpritName(culprit)) ?? 0) + 1);
  }
  const [first] = [...counts].sort((a, b) => b[1] - a[1]);
  return first?.[0] ?? null;
}

function missedText(missed: number, of: number, noun: string): string {
  const nouns = of === 1 ? noun : `${noun}s`;
  if (missed === 0)
    return of === 1 ? `The only ${noun} met its deadline.` : `All ${countText(of)} ${nouns} met their deadline.`;
  return `${countText(missed)} of ${countText(of)} ${nouns} missed their deadline.`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
