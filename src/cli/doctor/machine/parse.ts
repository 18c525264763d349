import type { ContainerKind, Limit, LimitsEntry } from './facts.js';

/** Bit of CAP_SYS_NICE (capabilities(7)). */
const CAP_SYS_NICE = 23n;

/** One row of `/proc/self/limits`, by its name there, such as `Max realtime priority`. Null where it is missing. */
export function parseLimit(text: string, name: string): Limit | null {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  const [soft, hard] = line?.slice(name.length).trim().split(/\s+/).map(limitNumber) ?? [];
  return soft === undefined || hard === undefined || Number.isNaN(soft + hard) ? null : { soft, hard };
}

function limitNumber(text: string): number {
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text);
}

/** Whether `CapEff` of a status file has CAP_SYS_NICE; null where it does not tell. */
export function parseSysNice(status: string): boolean | null {
  const bits = /^CapEff:\s*([0-9a-f]+)\s*$/m.exec(status)?.[1];
  return bits === undefined ? null : ((BigInt(`0x${bits}`) >> CAP_SYS_NICE) & 1n) === 1n;
}

/** A whole number in a status file, such as `TracerPid`. */
export function parseStatusNumber(status: string, name: string): number | null {
  const value = new RegExp(`^${name}:\\s*(-?\\d+)\\s*$`, 'm').exec(status)?.[1];
  return value === undefined ? null : Number(value);
}

/** Total and stolen ticks of the first line of `/proc/stat` (proc(5)). Guest time is within user time. */
export function parseCpuTicks(stat: string): { stealTicks: number; allTicks: number } | null {
  const fields = /^cpu +(.*)$/m.exec(stat)?.[1]?.trim().split(/\s+/).map(Number);
  if (fields === undefined || fields.length < 8 || fields.some(Number.isNaN)) return null;
  return { stealTicks: fields[7]!, allTicks: fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0) };
}

/** Whether `/proc/cpuinfo` says that a hypervisor is below. Only x86 says so; null elsewhere. */
export function parseHypervisor(cpuinfo: string): boolean | null {
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1];
  return flags === undefined ? null : flags.trim().split(/\s+/).includes('hypervisor');
}

/** `nr_throttled` of a control group's `cpu.stat`. */
export function parseThrottled(cpuStat: string): number | null {
  const value = /^nr_throttled (\d+)$/m.exec(cpuStat)?.[1];
  return value === undefined ? null : Number(value);
}

/** CPUs' worth of time by `cpu.max` of control groups version 2; Infinity for no limit. */
export function parseCpuMax(text: string): number | null {
  const [quota, period] = text.trim().split(/\s+/);
  if (quota === 'max') return Number.POSITIVE_INFINITY;
  const cpus = Number(quota) / Number(period);
  return Number.isFinite(cpus) && cpus > 0 ? cpus : null;
}

/** Paths of the process's control groups: `unified` of version 2, `cpu` of the version 1 hierarchy with that controller. */
export function parseCgroups(text: string): { unified: string | null; cpu: string | null } {
  const lines = text
    .split('\n')
    .map((line) => /^(\d+):([^:]*):(\/.*)$/.exec(line))
    .filter((match) => match !== null);
  return {
    unified: lines.find((match) => match[1] === '0' && match[2] === '')?.[3] ?? null,
    cpu: lines.find((match) => match[2]!.split(',').includes('cpu'))?.[3] ?? null,
  };
}

/** Names by group id, and the groups that list `user`, of `/etc/group`. */
export function parseGroups(text: string, user: string): { byId: Map<number, string>; listed: string[] } {
  const byId = new Map<number, string>();
  const listed: string[] = [];
  for (const line of text.split('\n')) {
    const [name, , id, members] = line.split(':');
    if (name === undefined || name === '' || members === undefined) continue;
    byId.set(Number(id), name);
    if (members.split(',').includes(user)) listed.push(name);
  }
  return { byId, listed };
}

/** Lines about `rtprio` and `nice` of limits.conf(5). Those for ranges of user ids are left out. */
export function parseLimitsFile(file: string, text: string): LimitsEntry[] {
  return text.split('\n').flatMap((line) => {
    const [domain, type, item, value] = line.replace(/#.*/, '').trim().split(/\s+/);
    if ((item !== 'rtprio' && item !== 'nice') || type === undefined || domain === undefined) return [];
    const number = value === 'unlimited' ? (item === 'nice' ? -20 : 99) : Number(value);
    return Number.isInteger(number) ? [{ file, domain, item, value: number }] : [];
  });
}

/** `ID` and `ID_LIKE` of os-release(5). */
export function parseDistribution(text: string): string[] {
  const value = (key: string): string =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(text)?.[1]?.replace(/^["']|["']$/g, '') ?? '';
  return `${value('ID')} ${value('ID_LIKE')}`.split(/\s+/).filter((name) => name !== '');
}

/** Niceness of `/proc/self/autogroup`. */
export function parseAutogroupNiceness(text: string): number | null {
  const value = /nice (-?\d+)/.exec(text)?.[1];
  return value === undefined ? null : Number(value);
}

/** What gives a container away. `exists`: whether a path is there. */
export function containerKind(
  exists: (path: string) => boolean,
  environment: Readonly<Record<string, string | undefined>>,
  cgroup: string,
): ContainerKind | null {
  if (exists('/.flatpak-info')) return 'flatpak';
  if (environment['SNAP'] !== undefined && environment['SNAP_NAME'] !== undefined) return 'snap';
  if (environment['KUBERNETES_SERVICE_HOST'] !== undefined || cgroup.includes('/kubepods')) return 'kubernetes';
  if (exists('/.dockerenv') || /\/docker[/-]/.test(cgroup)) return 'docker';
  if (exists('/run/.containerenv') || cgroup.includes('/libpod')) return 'podman';
  if (environment['container'] === 'lxc' || cgroup.includes('/lxc')) return 'lxc';
  return environment['container'] === undefined ? null : 'container';
}
