import { readFileSync } from 'node:fs';
import type { CpuTopology } from '../cpu-topology.js';
import { parseCpuList } from './cpus.js';

/** Of the fastest CPU's capacity: what has less is a slow core. LITTLE cores have 25 to 50 %, middle ones 60 and more. */
const EFFICIENT_BELOW = 0.55;

/**
 * Topology of the allowed CPUs from `/sys` (kernel, Documentation/ABI/stable/sysfs-devices-system-cpu): physical cores by
 * `thread_siblings_list`, else by package and `core_id`, kinds of cores by Intel's `cpu_core` list, else by Arm's `cpu_capacity`. What is not told there
 * counts as a core of its own, and as fast. Reads some small files for each CPU; blocks for tens of microseconds each.
 * @param allowed numbers of the allowed CPUs, ascending
 * @param root folder that stands for `/`, in tests
 */
export function readCpuTopology(allowed: readonly number[], root = ''): CpuTopology {
  const isEfficient = efficientCpus(allowed, root);
  const byId = new Map<string, number>();
  return allowed.map((cpu) => {
    const folder = `${root}/sys/devices/system/cpu/cpu${cpu}/topology`;
    const siblings = listIn(`${folder}/thread_siblings_list`);
    const core = siblings?.find((sibling) => allowed.includes(sibling)) ?? coreById(cpu, folder, byId);
    return { cpu, core, isEfficient: isEfficient(cpu) };
  });
}

/** The first CPU with the same package and `core_id`, where no list of siblings is told. */
function coreById(cpu: number, folder: string, byId: Map<string, number>): number {
  const coreId = numberIn(`${folder}/core_id`);
  if (coreId === null) return cpu;
  const key = `${numberIn(`${folder}/physical_package_id`)}/${coreId}`;
  const first = byId.get(key) ?? cpu;
  byId.set(key, first);
  return first;
}

function efficientCpus(allowed: readonly number[], root: string): (cpu: number) => boolean {
  // also low-power E-cores, which some kernels list apart from cpu_atom, are not in it
  const performance = listIn(`${root}/sys/devices/cpu_core/cpus`);
  if (performance !== null) return (cpu) => !performance.includes(cpu);
  const capacities = new Map(
    allowed.map((cpu) => [cpu, numberIn(`${root}/sys/devices/system/cpu/cpu${cpu}/cpu_capacity`)]),
  );
  const largest = Math.max(0, ...[...capacities.values()].map((capacity) => capacity ?? 0));
  return (cpu) => {
    const capacity = capacities.get(cpu) ?? null;
    return capacity !== null && capacity < largest * EFFICIENT_BELOW;
  };
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return null;
  }
}

function numberIn(path: string): number | null {
  const text = textOf(path);
  return text !== null && /^-?\d+$/.test(text) ? Number(text) : null;
}

function listIn(path: string): number[] | null {
  const text = textOf(path);
  return text !== null && /^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text) ? parseCpuList(text) : null;
}
