import { type CpuTopology, performanceCpus } from '../host/cpu-topology.js';
import type { NormalLane, NormalWorker } from './options.js';

/** A set of one would be a pin: whoever else runs there is in the way, and no other CPU helps. */
const SMALLEST_SET = 2;

/**
 * Chooses the CPUs of each worker for which none are given. The stated rule, on the allowed CPUs:
 * 1. The host's CPU is the first fast one. Workers are not kept off it, except those of 2.
 * 2. Workers that serve a periodic lane or ask for `realtime` share one set: a CPU of each fast core but the host's. If
 *    these are fewer than such workers, or only one, also the siblings of these cores, then slow cores. They stay out of
 *    each other's way and of the host's, and may still move. If all these are too few, they may run anywhere.
 * 3. Other workers run on all fast CPUs, if these are enough for all workers and the host; else anywhere.
 * 4. Workers of priority `normal` run anywhere.
 * CPUs that are given stay as they are. A set, never a pin to one CPU.
 */
export function chooseCpus(
  workers: readonly NormalWorker[],
  lanes: readonly NormalLane[],
  topology: CpuTopology,
): NormalWorker[] {
  const isPunctual = (worker: NormalWorker): boolean =>
    worker.priority === 'realtime' ||
    (worker.priority === 'high' && worker.lanes.some((lane) => lanes[lane]!.periodic !== null));
  const open = workers.filter((worker) => worker.cpus === null);
  const punctual = punctualSet(topology, open.filter(isPunctual).length);
  const other = otherSet(topology, open.filter((worker) => worker.priority !== 'normal').length);
  return workers.map((worker): NormalWorker => {
    if (worker.cpus !== null) return { ...worker, cpusReason: 'as given' };
    if (worker.priority === 'normal') return { ...worker, cpusReason: 'not restricted: priority normal' };
    return { ...worker, ...(isPunctual(worker) ? punctual : other) };
  });
}

interface Choice {
  readonly cpus: readonly number[] | null;
  readonly cpusReason: string;
}

function punctualSet(topology: CpuTopology, workerCount: number): Choice {
  const fast = performanceCpus(topology);
  const host = fast[0]!;
  const beside = fast.filter((cpu) => cpu.core !== host.core);
  const slow = topology.filter((cpu) => !fast.includes(cpu));
  const sets: readonly (readonly [CpuTopology, string])[] = [
    [beside.filter((cpu, i) => beside.findIndex(({ core }) => core === cpu.core) === i), 'one of each core'],
    [beside, 'all of the other cores'],
    [[...beside, ...slow], 'all of the other cores, slow ones too'],
    [topology.filter((cpu) => cpu !== host), 'all but one, also that on the same core'],
  ];
  const needed = Math.max(SMALLEST_SET, workerCount);
  for (const [set, which] of sets) {
    if (set.length < needed) continue;
    const kind = slow.length > 0 && set.every((cpu) => fast.includes(cpu)) ? 'fast CPUs, ' : '';
    return { cpus: numbersOf(set), cpusReason: `${kind}${which}; CPU ${host.cpu} is left to the main thread` };
  }
  return { cpus: null, cpusReason: whyAny(topology.length - 1, workerCount) };
}

function whyAny(besideHost: number, workerCount: number): string {
  if (besideHost === 0) return 'not restricted: there is only one CPU';
  if (besideHost < SMALLEST_SET)
    return 'not restricted: only one CPU is left beside the main thread, and no worker is tied to a single one';
  return `not restricted: the ${besideHost} CPUs beside the main thread are too few for ${workerCount} such workers`;
}

function otherSet(topology: CpuTopology, workerCount: number): Choice {
  const fast = performanceCpus(topology);
  if (fast.length === topology.length) return { cpus: null, cpusReason: 'not restricted: all CPUs are equally fast' };
  if (fast.length <= workerCount) {
    return {
      cpus: null,
      cpusReason: `not restricted: the ${fast.length} fast CPUs are too few for ${workerCount} workers and the main thread`,
    };
  }
  return { cpus: numbersOf(fast), cpusReason: 'fast CPUs' };
}

function numbersOf(cpus: CpuTopology): number[] {
  return cpus.map(({ cpu }) => cpu).sort((a, b) => a - b);
}
