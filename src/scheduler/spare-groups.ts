import { MAX_WORKERS } from '../memory/layout.js';
import type { NormalLane, NormalWorker } from './options.js';

/** Workers that are alike, so that a spare may take the place of any of them, and the columns that their spares have. */
export interface SpareGroup {
  /** Workers, by index. */
  readonly places: readonly number[];
  /** Columns beyond those of the workers: one for each spare. */
  readonly columns: readonly number[];
}

/**
 * Groups workers that differ in nothing but their name, and gives each group `spares` columns, as long as there are any
 * (30 in all, workers included). A lane that can transfer its things only once has no use for a spare.
 */
export function spareGroupsOf(
  workers: readonly NormalWorker[],
  lanes: readonly NormalLane[],
  spares: number,
): SpareGroup[] {
  const byKind = new Map<string, number[]>();
  workers.forEach((worker, index) => {
    const isOnce = (lane: number): boolean => {
      const { transfer } = lanes[lane]!;
      return transfer !== null && typeof transfer !== 'function';
    };
    if (worker.lanes.some(isOnce)) return;
    const { lanes: served, priority, cpus, spinUs, gc = 'auto', resourceLimits } = worker;
    const kind = JSON.stringify([served, priority, cpus, spinUs, gc, resourceLimits]);
    const places = byKind.get(kind);
    if (places === undefined) byKind.set(kind, [index]);
    else places.push(index);
  });
  let next = workers.length;
  const groups: SpareGroup[] = [];
  for (const places of byKind.values()) {
    const columns: number[] = [];
    while (columns.length < spares && next < MAX_WORKERS) columns.push(next++);
    if (columns.length > 0) groups.push({ places, columns });
  }
  return groups;
}

/** By column beyond the workers': one of the workers whose place its spare may take. */
export function spareColumnsOf(groups: readonly SpareGroup[]): number[] {
  return groups.flatMap(({ places, columns }) => columns.map(() => places[0]!));
}
