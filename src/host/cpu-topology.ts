/** One logical CPU that the process may use. */
export interface LogicalCpu {
  readonly cpu: number;
  /** The same for logical CPUs that share a physical core (hyper-threads). */
  readonly core: number;
  /** Whether it is one of the slow cores of a machine that has two kinds (Intel's E-cores, Arm's LITTLE). */
  readonly isEfficient: boolean;
}

/** The allowed CPUs, ascending, as placement sees them. Never empty. */
export type CpuTopology = readonly LogicalCpu[];

/** Every CPU a core of its own, all alike: what is taken for true where the platform does not tell. */
export function plainTopology(allowedCpus: readonly number[]): CpuTopology {
  return allowedCpus.map((cpu) => ({ cpu, core: cpu, isEfficient: false }));
}

/** The CPUs that are not slow ones; all where there is one kind only. */
export function performanceCpus(topology: CpuTopology): CpuTopology {
  const fast = topology.filter((cpu) => !cpu.isEfficient);
  return fast.length === 0 ? topology : fast;
}
