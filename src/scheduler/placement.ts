import { type CpuTopology, performanceCpus } from '../host/cpu-topology.js';
import { MAX_WORKERS } from '../memory/layout.js';
import type { NormalLane, NormalWorker } from './options.js';

/**
 * Derives the workers from the lanes and the CPUs. The stated rule:
 * 1. usable CPUs (`usableForWorkers`) minus one for the host, but at least one, is the number of workers;
 * 2. each periodic lane gets a worker of its own while there are enough workers, the most frequent first; then each lane
 *    whose worker returns to its event loop;
 * 3. the workers that are left serve all other lanes together; where none is left, every lane joins the last worker.
 */
export function derivePlacement(lanes: readonly NormalLane[], usableCpus: number): NormalWorker[] {
  const workerCount = Math.min(MAX_WORKERS, Math.max(1, usableCpus - 1));
  const periodic = lanes
    .filter((lane) => lane.periodic !== null)
    .sort((a, b) => a.periodic!.everyMs - b.periodic!.everyMs);
  const apart = [...periodic, ...lanes.filter((lane) => lane.periodic === null && lane.eventLoop)];
  const others = lanes.filter((lane) => !apart.includes(lane));
  const own = others.length === 0 ? workerCount : workerCount - 1;
  const alone = apart.slice(0, Math.max(0, own));
  const crowded = [...apart.slice(alone.length), ...others];
  const workers = alone.map((lane) => make([lane], lane.name));
  const rest = crowded.length === 0 ? 0 : Math.max(1, workerCount - alone.length);
  const name = crowded.map((lane) => lane.name).join('+');
  for (let i = 0; i < rest; i++) workers.push(make(crowded, rest === 1 ? name : `${name}-${i}`));
  return workers;
}

function make(lanes: readonly NormalLane[], name: string): NormalWorker {
  return {
    name,
    lanes: lanes.map((lane) => lane.index),
    priority: 'high',
    cpus: null,
    spinUs: 0,
    resourceLimits: null,
  };
}

/**
 * How many CPUs count when workers are derived: the usable ones, but of a machine with slow cores only the fast, while
 * these are enough for the host, each lane with a worker of its own, and one worker for the others. A frame waits for its slowest job.
 */
export function usableForWorkers(lanes: readonly NormalLane[], usableCpus: number, topology: CpuTopology): number {
  const fast = performanceCpus(topology).length;
  const apart = lanes.filter((lane) => lane.periodic !== null || lane.eventLoop).length;
  const enough = 1 + apart + (apart < lanes.length ? 1 : 0);
  return fast < topology.length && fast >= enough ? Math.min(usableCpus, fast) : usableCpus;
}

/** Puts the most specialised workers first: they are rung first. */
export function ringOrder(workers: readonly NormalWorker[]): NormalWorker[] {
  return [...workers].sort((a, b) => a.lanes.length - b.lanes.length);
}
