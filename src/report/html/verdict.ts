import { MISS_CAUSES, type MissCause } from '../../telemetry/outcomes.js';
import type { LaneTelemetry, Miss, Telemetry } from '../../telemetry/telemetry-data.js';
import { missesByFrame } from '../frame-misses.js';
import { type Lack, type Source, WHOLE_TELEMETRY } from '../lacks.js';
import { CAUSE_WORDS, causesByCount, countText, culpritName } from './words.js';

/** How a run went, in words. */
export interface Verdict {
  readonly ok: boolean;
  /** `14 of 600 frames missed their deadline.` */
  readonly headline: string;
  /** What most of them had in common, then the lanes; empty if nothing was missed. */
  readonly details: readonly string[];
}

type Causes = Record<MissCause, number>;

/**
 * How the run went, most important first: frames where a loop ran, else jobs. Of a source that cannot hold all that was
 * missed it says so.
 */
export function verdictOf(telemetry: Telemetry, source: Source = WHOLE_TELEMETRY): Verdict {
  const { lanes, loops, misses } = telemetry;
  const tasks = lanes.flatMap((lane) => lane.tasks);
  const ticks = sum(loops.map((loop) => loop.intendedTicks));
  const dropped = sum(loops.map((loop) => loop.droppedTicks));
  const missedTicks = dropped + sum(loops.map((loop) => loop.missedFrames));
  const missedJobs = sum(tasks.map((task) => task.misses));
  const accepted = sum(tasks.map((task) => task.accepted));
  if (ticks === 0 && accepted === 0) return { ok: true, headline: 'Nothing ran.', details: [] };
  const headline =
    ticks > 0
      ? missedText(missedTicks, ticks, 'frame', source, 'droppedTicks')
      : missedText(missedJobs, accepted, 'job', source, 'unstartedJobs');
  const frames =
    ticks > 0
      ? mostText(
          frameCauses(telemetry),
          misses.filter(({ frame }) => frame !== null),
        )
      : null;
  const details = frames === null ? [] : [frames];
  for (const lane of lanes) {
    const detail = laneText(lane, misses, source);
    if (detail !== null) details.push(detail);
  }
  if (dropped > 0) {
    details.push(
      `${countText(dropped)} of the missed frames ${dropped === 1 ? 'was a tick' : 'were ticks'} that the main thread did not serve.`,
    );
  }
  const lost = sum(tasks.map((task) => task.outcomes.lost));
  if (lost > 0) {
    details.push(
      `${countText(lost)} ${lost === 1 ? 'job was' : 'jobs were'} lost with a worker that hung, died, or was ended by close().`,
    );
  }
  return { ok: missedTicks === 0 && missedJobs === 0, headline, details };
}

/** Misses of all jobs and dropped ticks by cause. */
export function causeTotals({ lanes, loops }: Telemetry): Causes {
  const tasks = lanes.flatMap((lane) => lane.tasks);
  return sumCauses([...tasks.map((task) => task.missCauses), ...loops.map((loop) => loop.droppedCauses)]);
}

/** Missed frames by the cause of their worst miss that is kept, and dropped ticks by theirs. */
function frameCauses(telemetry: Telemetry): Causes {
  const causes = sumCauses(telemetry.loops.map((loop) => loop.droppedCauses));
  for (const [frame, [worst]] of missesByFrame(telemetry)) if (frame.outcome === 'late') causes[worst!.cause]++;
  return causes;
}

function mostText(causes: Causes, misses: readonly Miss[]): string | null {
  const [most] = causesByCount(causes);
  if (most === undefined) return null;
  const [cause, count] = most;
  return `Most often: ${CAUSE_WORDS[cause].short} (${countText(count)} of ${countText(sum(Object.values(causes)))})${behindText(cause, misses)}: ${CAUSE_WORDS[cause].long}.`;
}

function laneText({ name, tasks }: LaneTelemetry, misses: readonly Miss[], source: Source): string | null {
  const missed = sum(tasks.map((task) => task.misses));
  if (missed === 0) return null;
  const [most] = causesByCount(sumCauses(tasks.map((task) => task.missCauses)));
  const [cause, count] = most ?? (['unknown', missed] as const);
  const of = countText(sum(tasks.map((task) => task.accepted)));
  const behind = behindText(
    cause,
    misses.filter(({ lane }) => lane === name),
  );
  const only =
    count === missed ? CAUSE_WORDS[cause].short : `most often ${CAUSE_WORDS[cause].short} (${countText(count)})`;
  return `Lane ${name}: ${countText(missed)} of ${of} jobs${source.lacks.has('unstartedJobs') ? ` in the ${source.name}` : ''} missed, ${only}${behind}.`;
}

/** `, mostly behind render.tile`, after the cause of that name `, mostly render.tile`; or nothing. */
function behindText(cause: MissCause, misses: readonly Miss[]): string {
  const counts = new Map<string, number>();
  for (const miss of misses) {
    if (miss.cause !== cause || miss.culprit === null) continue;
    const name = culpritName(miss.culprit);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const [first] = [...counts].sort((a, b) => b[1] - a[1]);
  if (first === undefined) return '';
  const mostly = counts.size > 1 ? 'mostly ' : '';
  return cause === 'waitingBehind' ? `, ${mostly}${first[0]}` : `, ${mostly}behind ${first[0]}`;
}

/** @param lack without it the source holds all that was missed */
function missedText(missed: number, of: number, noun: 'frame' | 'job', { name, lacks }: Source, lack: Lack): string {
  const nouns = of === 1 ? noun : `${noun}s`;
  if (lacks.has(lack)) {
    const among = `${countText(of)} ${nouns} in the ${name}`;
    if (name === 'log' && lacks.has('deadlines')) return `${among}; deadlines are not in it.`;
    const absent = noun === 'frame' ? 'frames that were dropped' : 'jobs that never ran';
    const verb = missed > 0 ? 'took longer than' : 'took no longer than';
    const those =
      missed > 0 ? `${countText(missed)} of ${among}` : of === 1 ? `The only ${noun} in the ${name}` : `All ${among}`;
    return `${those} ${verb} ${of === 1 ? 'its' : 'their'} deadline; ${absent} are not in a ${name}.`;
  }
  if (missed > 0) return `${countText(missed)} of ${countText(of)} ${nouns} missed their deadline.`;
  return of === 1 ? `The only ${noun} met its deadline.` : `All ${countText(of)} ${nouns} met their deadline.`;
}

function sumCauses(counts: readonly Causes[]): Causes {
  return Object.fromEntries(MISS_CAUSES.map((cause) => [cause, sum(counts.map((of) => of[cause]))])) as Causes;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
