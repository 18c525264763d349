import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The CPUs that this process may really use. */
export interface CpuSet {
  /** Numbers of the allowed CPUs (in a container they have gaps), ascending. */
  readonly allowed: readonly number[];
  /** CPUs' worth of time that the control group grants, or null for no limit. */
  readonly quotaCpus: number | null;
  /** How many threads can run at once: the allowed CPUs, or fewer by the quota, at least 1. */
  readonly usable: number;
}

export function readCpuSet(): CpuSet {
  const allowed = allowedCpusOf('/proc/self/status') ?? Array.from({ length: availableParallelism() }, (_, cpu) => cpu);
  const quotaCpus = readQuota();
  const usable = Math.max(1, quotaCpus === null ? allowed.length : Math.min(allowed.length, Math.ceil(quotaCpus)));
  return { allowed, quotaCpus, usable };
}

/** `Cpus_allowed_list` of a status file of `/proc` as numbers, or null where there is none. */
export function allowedCpusOf(statusPath: string): number[] | null {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(statusPath, 'latin1'))?.[1];
    return list === undefined ? null : parseCpuList(list);
  } catch {
    return null;
  }
}

/** Parses a list such as `0-3,8,10-11` (cpuset(7), "List format"). */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
}

/** Quota of the control group, version 2 (`cpu.max`) or 1, at its mount point: what a container sees as its own. */
function readQuota(): number | null {
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'latin1').trim().split(' ');
    return quota === 'max' ? null : Number(quota) / Number(period);
  } catch {
    // not version 2
  }
  try {
    const quota = Number(readFileSync('/sys/fs/cgroup/cpu/cpu.cfs_quota_us', 'latin1'));
    const period = Number(readFileSync('/sys/fs/cgroup/cpu/cpu.cfs_period_us', 'latin1'));
    return quota > 0 ? quota / period : null;
  } catch {
    return null;
  }
}
