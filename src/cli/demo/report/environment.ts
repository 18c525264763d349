import { cpus, loadavg, release } from 'node:os';
import { readCpuSet } from '../../../host/node/cpus.js';

/** Where the run took place. */
export interface Environment {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly kernel: string;
  readonly cpuModel: string | null;
  readonly allowedCpus: readonly number[];
  /** How many threads can run at once, by allowed CPUs and quota. */
  readonly usableCpus: number;
  /** CPUs' worth of time that the control group grants, or null for no limit. */
  readonly quotaCpus: number | null;
  /** Over 1, 5 and 15 minutes, when the run began; null where the system does not tell. */
  readonly loadAverage: readonly number[] | null;
}

export function readEnvironment(): Environment {
  const { allowed, usable, quotaCpus } = readCpuSet();
  return {
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    kernel: release(),
    cpuModel: cpus()[0]?.model ?? null,
    allowedCpus: allowed,
    usableCpus: usable,
    quotaCpus,
    loadAverage: process.platform === 'win32' ? null : loadavg().map((load) => Math.round(load * 100) / 100),
  };
}
