import type { LaneModule, LoadResult, TaskDescription } from './protocol.js';

type Lanes = Extract<LoadResult, { ok: true }>['lanes'];

export interface TaskChange {
  /** Why the modules cannot take the place of the ones before, in words; null if they can. */
  readonly error: string | null;
  /** Tasks that were not there before, as `lane.task`. */
  readonly added: readonly string[];
}

/** Compares task modules as they are now with what the scheduler was made for: its memory is laid out for that. */
export function changeOf(before: Lanes, after: Lanes, modules: readonly LaneModule[]): TaskChange {
  const added: string[] = [];
  for (const { lane, tasks } of before) {
    const { laneName, url } = modules.find((module) => module.lane === lane)!;
    const now = after.find((of) => of.lane === lane)?.tasks ?? [];
    for (const task of tasks) {
      const found = now.find((candidate) => candidate.name === task.name);
      const what =
        found === undefined
          ? `no task ${task.name} any more (tasks: ${now.map(({ name }) => name).join(', ')})`
          : differenceOf(task, found);
      if (what !== null) return { error: `lane ${laneName}: ${url} has ${what}`, added };
    }
    for (const { name } of now) if (!tasks.some((task) => task.name === name)) added.push(`${laneName}.${name}`);
  }
  return { error: null, added };
}

function differenceOf(before: TaskDescription, after: TaskDescription): string | null {
  for (const part of ['input', 'output', 'deadlineMs', 'budgetUs', 'idempotent'] as const) {
    const was = inWords(before[part]);
    const is = inWords(after[part]);
    if (was !== is) return `another ${part} of task ${before.name}: ${is}, ${was} expected`;
  }
  return null;
}

function inWords(value: TaskDescription[keyof TaskDescription]): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = value.map((field) => {
    if (field.kind === 'bytes') return `${field.name}: bytes(${field.maxLength})`;
    return `${field.name}: ${field.type}${field.kind === 'array' ? `.array(${field.length})` : ''}`;
  });
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
