import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { nicenessScope } from '../../../host/node/niceness-scope.js';
import type { LimitsEntry, LinuxFacts, PowerState, Totals } from './facts.js';
import {
  parseAutogroupNiceness,
  parseCgroups,
  parseCpuMax,
  parseCpuTicks,
  parseDistribution,
  parseGroups,
  parseHypervisor,
  parseLimit,
  parseLimitsFile,
  parseStatusNumber,
  parseSysNice,
  parseThrottled,
} from './parse.js';
import { linuxPower } from './power.js';

const LIMITS_FOLDER = '/etc/security/limits.d';

/** Text of a small file, or null. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

export function readLinux(allowedCpus: readonly number[]): LinuxFacts {
  const limits = readText('/proc/self/limits') ?? '';
  const status = readText('/proc/self/status') ?? '';
  const groups = parseGroups(readText('/etc/group') ?? '', userName());
  const groupIds = [...(process.getgroups?.() ?? []), process.getegid?.() ?? -1];
  return {
    distribution: parseDistribution(readText('/etc/os-release') ?? ''),
    rtprio: parseLimit(limits, 'Max realtime priority'),
    nice: parseLimit(limits, 'Max nice priority'),
    rttimeUs: parseLimit(limits, 'Max realtime timeout'),
    capSysNice: isInFirstUserNamespace() ? parseSysNice(status) : false,
    groups: [...new Set(groupIds.flatMap((id) => groups.byId.get(id) ?? []))],
    listedGroups: groups.listed,
    limitsEntries: readLimitsEntries(),
    autogroup: flagOf(readText('/proc/sys/kernel/sched_autogroup_enabled')),
    nicenessScope: nicenessScope(),
    autogroupNiceness: parseAutogroupNiceness(readText('/proc/self/autogroup') ?? ''),
    realtimeRuntimeUs: numberOf(readText('/proc/sys/kernel/sched_rt_runtime_us')),
    cgroupRealtimeRuntimeUs: readRealtimeShare(),
    quotaCpus: readQuota(),
    governors: readOfCpus(allowedCpus, 'scaling_governor'),
    energyPreferences: readOfCpus(allowedCpus, 'energy_performance_preference'),
    hasHypervisor: parseHypervisor(readText('/proc/cpuinfo') ?? ''),
    clocksource: readText('/sys/devices/system/clocksource/clocksource0/current_clocksource')?.trim() ?? null,
    tracerPid: parseStatusNumber(status, 'TracerPid'),
  };
}

export function readLinuxPower(): PowerState {
  const folder = '/sys/class/power_supply';
  const supplies = namesIn(folder).map((name) => ({
    type: readText(join(folder, name, 'type'))?.trim() ?? '',
    status: readText(join(folder, name, 'status'))?.trim() ?? null,
    scope: readText(join(folder, name, 'scope'))?.trim() ?? null,
  }));
  return linuxPower(readText('/sys/firmware/acpi/platform_profile')?.trim() ?? null, supplies);
}

/** All null where there is no `/proc`. */
export function readTotals(): Totals {
  const ticks = parseCpuTicks(readText('/proc/stat') ?? '');
  const throttled = cgroupFolders()
    .map((folder) => parseThrottled(readText(join(folder, 'cpu.stat')) ?? ''))
    .filter((count) => count !== null);
  return {
    stealTicks: ticks?.stealTicks ?? null,
    allTicks: ticks?.allTicks ?? null,
    throttledPeriods: throttled.length === 0 ? null : throttled.reduce((sum, count) => sum + count, 0),
  };
}

export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // no entry in the system's list of users, as in some containers
    return String(process.getuid?.() ?? 'user');
  }
}

function readLimitsEntries(): LimitsEntry[] {
  const files = namesIn(LIMITS_FOLDER).filter((name) => name.endsWith('.conf'));
  const paths = ['/etc/security/limits.conf', ...files.map((name) => join(LIMITS_FOLDER, name))];
  return paths.flatMap((path) => parseLimitsFile(path, readText(path) ?? ''));
}

/** The process's control group and those above it, nearest first, of the hierarchy that bounds CPU time. */
function cgroupFolders(): string[] {
  const { unified, cpu } = parseCgroups(readText('/proc/self/cgroup') ?? '');
  const isUnified = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const root = isUnified ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu';
  const path = (isUnified ? unified : cpu) ?? '/';
  const folders: string[] = [];
  // in a container the path may lead out of what is mounted: such folders are missing and tell nothing
  for (let parts = path.split('/').filter((part) => part !== ''); parts.length > 0; parts = parts.slice(0, -1)) {
    if (!parts.includes('..')) folders.push(join(root, ...parts));
  }
  return [...folders, root];
}

function readQuota(): number | null {
  const quotas = cgroupFolders().flatMap((folder) => {
    const unified = readText(join(folder, 'cpu.max'));
    if (unified !== null) return parseCpuMax(unified) ?? [];
    const quota = numberOf(readText(join(folder, 'cpu.cfs_quota_us')));
    const period = numberOf(readText(join(folder, 'cpu.cfs_period_us')));
    return quota === null || period === null || quota <= 0 || period <= 0 ? [] : quota / period;
  });
  const tightest = Math.min(...quotas, Number.POSITIVE_INFINITY);
  return Number.isFinite(tightest) ? tightest : null;
}

/** In another one (a rootless container) a capability is good for nothing that concerns scheduling (user_namespaces(7)). */
function isInFirstUserNamespace(): boolean {
  try {
    // the inode number is the same on every machine (linux/nsfs.h, USER_NS_INIT_INO)
    return readlinkSync('/proc/self/ns/user') === 'user:[4026531837]';
  } catch {
    return true;
  }
}

/** Null where the kernel does not divide real-time among control groups, or the process is in the first of them. */
function readRealtimeShare(): number | null {
  const [own, ...above] = cgroupFolders();
  return above.length === 0 ? null : numberOf(readText(join(own!, 'cpu.rt_runtime_us')));
}

function readOfCpus(cpus: readonly number[], file: string): string[] {
  const values = cpus.map((cpu) => readText(`/sys/devices/system/cpu/cpu${cpu}/cpufreq/${file}`)?.trim());
  return [...new Set(values.filter((value) => value !== undefined))];
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function numberOf(text: string | null): number | null {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

function flagOf(text: string | null): boolean | null {
  const value = numberOf(text);
  return value === null ? null : value !== 0;
}
