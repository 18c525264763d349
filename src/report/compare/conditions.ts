import type { Telemetry } from '../../telemetry/telemetry-data.js';
import type { Lack, Source } from '../lacks.js';

/** Something about how the two were measured that was not the same. */
export interface ConditionDifference {
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

export interface ComparedConditions {
  readonly conditions: ConditionDifference[];
  /** What only the other of the two tells: no difference is known. */
  readonly unknownInA: string[];
  readonly unknownInB: string[];
}

/** What was the case; null: not known. */
type Facts = ReadonlyMap<string, string | null>;

/** Durations that differ by less than this share are the same. */
const SAME_DURATION = 0.1;

/** Groups of facts that a source has as a whole or not at all. */
const GROUPS = ['environment', 'workers', 'periods', 'deadlines'] as const satisfies readonly Lack[];

/** Environment, duration, deadlines, and what workers were granted: where they differ, and where only one side tells. */
export function compareConditions(a: Telemetry, b: Telemetry, sourceA: Source, sourceB: Source): ComparedConditions {
  const conditions: ConditionDifference[] = [];
  const unknownInA: string[] = [];
  const unknownInB: string[] = [];
  const byLane = sourceA.lacks.has('tasks') || sourceB.lacks.has('tasks');
  for (const group of GROUPS) {
    const isInA = !sourceA.lacks.has(group);
    const isInB = !sourceB.lacks.has(group);
    if (!isInA && isInB) unknownInA.push(group);
    if (isInA && !isInB) unknownInB.push(group);
    if (!isInA || !isInB) continue;
    const factsOfA = factsOf(group, a, byLane);
    const factsOfB = factsOf(group, b, byLane);
    for (const what of new Set([...factsOfA.keys(), ...factsOfB.keys()])) {
      const ofA = factOf(factsOfA, what);
      const ofB = factOf(factsOfB, what);
      if (ofA === ofB) continue;
      if (ofA === null) unknownInA.push(what);
      else if (ofB === null) unknownInB.push(what);
      else conditions.push({ what, a: ofA, b: ofB });
    }
  }
  const secondsA = (a.toUs - a.fromUs) / 1e6;
  const secondsB = (b.toUs - b.fromUs) / 1e6;
  if (Math.abs(secondsA - secondsB) > SAME_DURATION * Math.max(secondsA, secondsB)) {
    conditions.push({ what: 'duration', a: `${secondsA.toFixed(1)} s`, b: `${secondsB.toFixed(1)} s` });
  }
  a.loops.forEach(({ hz }, nth) => {
    const other = b.loops[nth];
    if (other === undefined) return;
    const rates = [hz, other.hz].map((rate) => `${Number(rate.toFixed(2))} Hz`);
    if (rates[0] !== rates[1]) conditions.push({ what: `rate of loop ${nth}`, a: rates[0]!, b: rates[1]! });
  });
  return { conditions, unknownInA, unknownInB };
}

function factOf(facts: Facts, what: string): string | null {
  const fact = facts.get(what);
  return fact === undefined ? 'none' : fact;
}

function factsOf(group: (typeof GROUPS)[number], telemetry: Telemetry, byLane: boolean): Facts {
  if (group === 'environment') return environmentFacts(telemetry);
  if (group === 'workers') return workerFacts(telemetry);
  if (group === 'deadlines') return deadlineFacts(telemetry, byLane);
  return new Map(
    telemetry.lanes.map(({ name, periodUs }) => [
      `period of lane ${name}`,
      periodUs === null ? 'none' : microseconds(periodUs),
    ]),
  );
}

function environmentFacts({ environment }: Telemetry): Facts {
  const { runtime, platform, cpu, allowedCpus } = environment;
  return new Map([
    ['runtime', runtime],
    ['platform', platform],
    ['CPU', cpu],
    ['allowed CPUs', cpuText(allowedCpus)],
  ]);
}

function workerFacts({ workers }: Telemetry): Facts {
  const facts = new Map<string, string | null>([['workers', `${workers.length}`]]);
  for (const { name, priority, cpus } of workers) {
    facts.set(`priority of worker ${name}`, priority);
    facts.set(`CPUs of worker ${name}`, cpuText(cpus));
  }
  return facts;
}

/** @param byLane one of the two has no single tasks */
function deadlineFacts({ lanes, loops }: Telemetry, byLane: boolean): Facts {
  const facts = new Map<string, string | null>();
  for (const { name, tasks } of lanes) {
    const ofTasks = tasks.map(({ deadlineUs }) => deadlineUs).sort((a, b) => a - b);
    const all = [...new Set(ofTasks.map(microseconds))];
    if (byLane) facts.set(`deadlines of lane ${name}`, all.includes(null) ? null : all.join(', '));
    else for (const task of tasks) facts.set(`deadline of ${name}.${task.name}`, microseconds(task.deadlineUs));
  }
  loops.forEach(({ deadlineUs }, nth) => {
    facts.set(`deadline of loop ${nth}`, microseconds(deadlineUs));
  });
  return facts;
}

/** No process has no CPU at all: an empty list was not to be had. */
function cpuText(cpus: readonly number[] | null): string | null {
  return cpus === null || cpus.length === 0 ? null : cpus.join(',');
}

function microseconds(us: number): string | null {
  return Number.isFinite(us) ? `${Math.round(us)} µs` : null;
}
