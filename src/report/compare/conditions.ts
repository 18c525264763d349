import type { Telemetry } from '../../telemetry/telemetry-data.js';

/** Something about how the two were measured that was not the same. */
export interface ConditionDifference {
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

/** Durations that differ by less than this share are the same. */
const SAME_DURATION = 0.1;

/** Environment, duration, deadlines, and what workers were granted, where they differ. */
export function conditionDifferences(a: Telemetry, b: Telemetry): ConditionDifference[] {
  const factsOfA = factsOf(a);
  const factsOfB = factsOf(b);
  const found: ConditionDifference[] = [];
  for (const what of new Set([...factsOfA.keys(), ...factsOfB.keys()])) {
    const ofA = factsOfA.get(what) ?? 'none';
    const ofB = factsOfB.get(what) ?? 'none';
    if (ofA !== ofB) found.push({ what, a: ofA, b: ofB });
  }
  const secondsA = (a.toUs - a.fromUs) / 1e6;
  const secondsB = (b.toUs - b.fromUs) / 1e6;
  if (Math.abs(secondsA - secondsB) > SAME_DURATION * Math.max(secondsA, secondsB)) {
    found.push({ what: 'duration', a: `${secondsA.toFixed(1)} s`, b: `${secondsB.toFixed(1)} s` });
  }
  return found;
}

function factsOf({ environment, workers, lanes, loops }: Telemetry): Map<string, string> {
  const facts = new Map([
    ['runtime', environment.runtime],
    ['platform', environment.platform],
    ['CPU', environment.cpu ?? 'not known'],
    ['allowed CPUs', environment.allowedCpus.join(',')],
    ['workers', `${workers.length}`],
  ]);
  for (const { name, priority, cpus } of workers) {
    facts.set(`priority of worker ${name}`, priority ?? 'not known');
    facts.set(`CPUs of worker ${name}`, cpus === null ? 'not known' : cpus.join(','));
  }
  for (const { name, periodUs, tasks } of lanes) {
    facts.set(`period of lane ${name}`, periodUs === null ? 'none' : microseconds(periodUs));
    for (const task of tasks) facts.set(`deadline of ${name}.${task.name}`, microseconds(task.deadlineUs));
  }
  loops.forEach(({ hz, deadlineUs }, nth) => {
    facts.set(`loop ${nth}`, `${Number(hz.toFixed(2))} Hz, deadline ${microseconds(deadlineUs)}`);
  });
  return facts;
}

function microseconds(us: number): string {
  return Number.isFinite(us) ? `${Math.round(us)} µs` : 'not known';
}
