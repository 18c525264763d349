import type { NicenessScope } from '../../../host/node/niceness-scope.js';

/** A limit of the process; Infinity where there is none. */
export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

/** A line of the files that pam_limits reads, about priority. */
export interface LimitsEntry {
  readonly file: string;
  /** A user, `@group`, or `*`. */
  readonly domain: string;
  readonly item: 'rtprio' | 'nice';
  readonly value: number;
}

export type ContainerKind = 'docker' | 'podman' | 'kubernetes' | 'lxc' | 'flatpak' | 'snap' | 'container';

/** What only Linux tells. Null fields: the file was not there or could not be read. */
export interface LinuxFacts {
  /** `ID` and `ID_LIKE` of os-release, such as `ubuntu`, `debian`. */
  readonly distribution: readonly string[];
  /** Highest real-time priority that may be set without privilege, RLIMIT_RTPRIO. */
  readonly rtprio: Limit | null;
  /** RLIMIT_NICE: 20 minus the lowest niceness that may be set without privilege. */
  readonly nice: Limit | null;
  /** RLIMIT_RTTIME in microseconds. */
  readonly rttimeUs: Limit | null;
  /** Whether the process has CAP_SYS_NICE in force. */
  readonly capSysNice: boolean | null;
  /** Groups in force, by name. */
  readonly groups: readonly string[];
  /** Groups that list the user in /etc/group, in force or not. */
  readonly listedGroups: readonly string[];
  readonly limitsEntries: readonly LimitsEntry[];
  /** Whether the session's processes share one place in line, so that niceness counts only among them. */
  readonly autogroup: boolean | null;
  /** Among whom niceness counts. */
  readonly nicenessScope: NicenessScope;
  /** Niceness of that group, 0 unless somebody set it. */
  readonly autogroupNiceness: number | null;
  /** Of every real-time period, for all real-time threads together; -1: no bound. */
  readonly realtimeRuntimeUs: number | null;
  /** Of the process's own control group, where the kernel has RT_GROUP_SCHED. */
  readonly cgroupRealtimeRuntimeUs: number | null;
  /** The tightest of the process's control groups, in CPUs. */
  readonly quotaCpus: number | null;
  /** Distinct governors of the allowed CPUs. */
  readonly governors: readonly string[];
  readonly energyPreferences: readonly string[];
  readonly hasHypervisor: boolean | null;
  readonly clocksource: string | null;
  readonly tracerPid: number | null;
}

/** `unknown`: cannot be told here. */
export type PowerState = 'mains' | 'battery' | 'saver' | 'unknown';

export interface MachineFacts {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly kernel: string;
  readonly node: string;
  readonly cpuModel: string | null;
  readonly user: string;
  readonly uid: number | null;
  readonly container: ContainerKind | null;
  readonly addonLoaded: boolean;
  readonly addonReason: string | null;
  /** Whether desktop services can be asked for priority: the optional package `dbus-native` is installed. */
  readonly canAskBrokers: boolean;
  readonly allowedCpus: readonly number[];
  /** Physical cores that the allowed CPUs are on, and how many of the CPUs are slow ones (E-cores, LITTLE). */
  readonly cores: number;
  readonly slowCpus: number;
  /** How many threads can run at once, by allowed CPUs and quota. */
  readonly usableCpus: number;
  readonly power: PowerState;
  readonly inspectorAttached: boolean;
  readonly linux: LinuxFacts | null;
}

/** Totals that grow: two readings tell what happened between them. Null where the system does not tell. */
export interface Totals {
  /** CPU time that the hypervisor gave to others while this machine wanted it, and all CPU time, in ticks. */
  readonly stealTicks: number | null;
  readonly allTicks: number | null;
  /** Periods in which the control group was out of quota. */
  readonly throttledPeriods: number | null;
}

/** What happened during the measurement. */
export interface Happened {
  readonly stealPercent: number | null;
  readonly throttledPeriods: number | null;
}

export function happenedBetween(before: Totals, after: Totals): Happened {
  const grown = (key: keyof Totals): number | null => {
    const [first, last] = [before[key], after[key]];
    return first === null || last === null ? null : Math.max(0, last - first);
  };
  const [steal, all] = [grown('stealTicks'), grown('allTicks')];
  return {
    stealPercent: steal === null || all === null || all === 0 ? null : Math.round((steal / all) * 1000) / 10,
    throttledPeriods: grown('throttledPeriods'),
  };
}
