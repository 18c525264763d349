import type { ThreadReport } from '../../../host/thread-control.js';
import type { Happened, LinuxFacts, MachineFacts } from '../machine/facts.js';

/** `problem`: makes frames late. `note`: may, or good to know. `unknown`: cannot be told here. */
export type Status = 'ok' | 'note' | 'problem' | 'unknown';

export interface Finding {
  /** Stable name. */
  readonly id: string;
  readonly status: Status;
  readonly text: string;
  /** What to do about it, or null. */
  readonly fix: string | null;
}

/** What was seen while measuring. */
export interface Seen {
  /** Reports of the workers, best level last; null for one that did not come up. */
  readonly threads: readonly (ThreadReport | null)[];
  readonly happened: Happened;
  readonly busyBeforePercent: number | null;
  readonly hogs: number;
}

const SHARP_SLACK_NS = 1000;
const BUSY_PERCENT = 25;
const VERY_BUSY_PERCENT = 60;
const STEAL_PROBLEM_PERCENT = 1;
/** Read without a system call. */
const FAST_CLOCKS = ['tsc', 'kvm-clock', 'hyperv_clocksource_tsc_page', 'arch_sys_counter', 'riscv_clocksource'];
/** They leave the speed to the hardware, by the energy preference. */
const HARDWARE_GOVERNORS = ['powersave'];
const FAST_PREFERENCES = ['performance', 'balance_performance', 'default'];

/** What is in the way of punctual threads, in the order of showing. */
export function findingsOf(facts: MachineFacts, seen: Seen): Finding[] {
  return [
    addon(facts),
    timerSlack(facts, seen.threads),
    governor(facts),
    power(facts),
    containerLimits(facts, seen.happened),
    cpusAllowed(facts),
    virtualMachine(facts, seen.happened),
    busy(seen),
    inspector(facts),
    ...load(facts, seen),
    ...(facts.linux === null ? [] : linuxSettings(facts.linux)),
  ];
}

function finding(id: string, status: Status, text: string, fix: string | null = null): Finding {
  return { id, status, text, fix };
}

function addon({ addonLoaded, addonReason, linux }: MachineFacts): Finding {
  if (addonLoaded) return finding('addon', 'ok', 'native addon: loaded');
  const lacks = linux === null ? 'no priority can be set' : 'no realtime, no CPU affinity; high works';
  const why = whyWithoutAddon(addonReason ?? '');
  return finding('addon', 'note', `native addon: ${why}; ${lacks}`);
}

function whyWithoutAddon(reason: string): string {
  if (reason.includes('switched off')) return 'switched off';
  return reason.includes('No native build') ? 'not found' : 'cannot be loaded';
}

function timerSlack({ platform }: MachineFacts, threads: Seen['threads']): Finding {
  const raised = threads.filter((thread) => thread !== null && thread.timerSlackNs.requested !== null);
  const values = raised.map((thread) => thread!.timerSlackNs.effective).filter((value) => value !== null);
  if (values.length === 0) {
    return finding('timerSlack', 'unknown', `timer slack: cannot be told on ${platform}`);
  }
  const worst = Math.max(...values);
  const text = `timer slack of high and realtime workers: ${worst} ns`;
  if (worst <= SHARP_SLACK_NS) return finding('timerSlack', 'ok', text);
  const reason = raised.find((thread) => thread!.timerSlackNs.reason !== null)?.timerSlackNs.reason ?? 'unknown reason';
  return finding('timerSlack', 'problem', `${text} (${reason}): sleeps end that much later`);
}

function governor({ linux, platform }: MachineFacts): Finding {
  if (linux === null) return finding('governor', 'unknown', `CPU governor: cannot be told on ${platform}`);
  const { governors, energyPreferences } = linux;
  if (governors.length === 0) {
    const why = linux.hasHypervisor === true ? 'left to the host of this virtual machine' : 'not told here';
    return finding('governor', 'unknown', `CPU governor: ${why}`);
  }
  const text = `CPU governor: ${governors.join(', ')}`;
  if (governors.every((name) => name === 'performance')) return finding('governor', 'ok', text);
  const isByHardware = governors.every((name) => HARDWARE_GOVERNORS.includes(name)) && energyPreferences.length > 0;
  const preference = energyPreferences.length === 0 ? '' : ` (energy preference ${energyPreferences.join(', ')})`;
  const isFast = isByHardware && energyPreferences.every((name) => FAST_PREFERENCES.includes(name));
  const isSlow = !isFast && governors.some((name) => name === 'powersave');
  return finding(
    'governor',
    isSlow ? 'problem' : 'note',
    `${text}${preference}: a CPU that was idle begins a frame slowly`,
    'sudo cpupower frequency-set -g performance',
  );
}

function power({ power: state, platform }: MachineFacts): Finding {
  switch (state) {
    case 'saver':
      return finding('power', 'problem', 'power: battery saver is on', saverFix(platform));
    case 'battery':
      return finding('power', 'note', 'power: on battery, where CPUs are often slowed', 'plug it in');
    case 'mains':
      return finding('power', 'ok', 'power: mains, no battery saver');
    default:
      return finding('power', 'unknown', 'power: battery saver cannot be told here');
  }
}

function saverFix(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'sudo pmset -a lowpowermode 0';
  if (platform === 'win32') return 'powercfg /setactive SCHEME_BALANCED';
  return 'powerprofilesctl set performance';
}

function containerLimits({ container, linux, platform }: MachineFacts, { throttledPeriods }: Happened): Finding {
  if (linux === null) return finding('container', 'unknown', `container limits: cannot be told on ${platform}`);
  const where = container === null ? 'control group' : `container (${container})`;
  if (linux.quotaCpus === null) return finding('container', 'ok', `${where}: no CPU quota`);
  const quota = `${where}: quota of ${Math.round(linux.quotaCpus * 100) / 100} CPUs`;
  const fix =
    container === null
      ? 'more CPUQuota= of the systemd unit, or none'
      : 'more CPUs (docker run --cpus, Kubernetes limits.cpu), or pinned ones instead (--cpuset-cpus)';
  if ((throttledPeriods ?? 0) > 0) {
    const text = `${quota}, used up in ${throttledPeriods} periods during this run: all threads stood still then`;
    return finding('container', 'problem', text, fix);
  }
  return finding('container', 'note', `${quota}: once used up, all threads stand still until the next period`, fix);
}

function cpusAllowed({ allowedCpus, usableCpus, cores, slowCpus }: MachineFacts): Finding {
  const shared = cores < allowedCpus.length ? ` on ${cores} core${cores === 1 ? '' : 's'}` : '';
  const slow = slowCpus > 0 ? `, ${slowCpus} of them slow` : '';
  const text = `CPUs: ${allowedCpus.length} allowed${shared}${slow}, room for ${usableCpus === 1 ? 'one thread' : `${usableCpus} threads`} at once`;
  if (usableCpus > 1) return finding('cpus', 'ok', text);
  return finding('cpus', 'problem', `${text}: whoever else runs is in the way`, 'allow the process a second CPU');
}

function virtualMachine({ linux, platform }: MachineFacts, { stealPercent }: Happened): Finding {
  if (linux === null || stealPercent === null) {
    return finding('steal', 'unknown', `virtual machine: cannot be told on ${platform}`);
  }
  const where = linux.hasHypervisor === true ? 'virtual machine' : 'machine';
  const text = `${where}: ${stealPercent} % of CPU time taken by its host`;
  if (stealPercent >= STEAL_PROBLEM_PERCENT) {
    const fix = 'CPUs of its own for the machine (dedicated or pinned), or another host';
    return finding('steal', 'problem', `${text}: no priority in here helps against that`, fix);
  }
  if (linux.hasHypervisor !== true) return finding('steal', 'ok', text);
  return finding('steal', 'note', `${text}; it can stop this one at any time`);
}

function busy({ busyBeforePercent, hogs }: Seen): Finding {
  if (busyBeforePercent === null) return finding('busy', 'unknown', 'other programs: cannot be told here');
  const text = `other programs: CPUs ${busyBeforePercent} % busy before the run`;
  if (busyBeforePercent < BUSY_PERCENT) return finding('busy', 'ok', text);
  const fix = hogs > 0 ? 'end them and run this again: the figures without load are not without' : null;
  return finding('busy', busyBeforePercent < VERY_BUSY_PERCENT ? 'note' : 'problem', text, fix);
}

/** Nothing where every CPU had its hog, or none was there. */
function load({ usableCpus }: MachineFacts, { hogs }: Seen): Finding[] {
  if (hogs === 0 || hogs >= usableCpus) return [];
  return [finding('load', 'note', `load: only ${hogs} of ${usableCpus} CPUs had a hog; a fuller machine does worse`)];
}

function inspector({ inspectorAttached, linux }: MachineFacts): Finding {
  if (inspectorAttached) {
    const text = 'inspector: open (--inspect); a debugger stops and slows threads';
    return finding('inspector', 'problem', text, 'start without --inspect');
  }
  const tracer = linux?.tracerPid ?? 0;
  if (tracer === 0) return finding('inspector', 'ok', 'inspector: none attached');
  const text = `inspector: process ${tracer} traces this one (strace, gdb): every system call is slow`;
  return finding('inspector', 'problem', text, 'run without it');
}

function linuxSettings(linux: LinuxFacts): Finding[] {
  const found: Finding[] = [];
  if (linux.nicenessScope === 'session') {
    const text = 'autogroup: niceness counts only within this session; beside others the session has one share';
    found.push(finding('autogroup', 'note', text, 'sudo sysctl -w kernel.sched_autogroup_enabled=0'));
  } else if (linux.nicenessScope === 'controlGroup') {
    const text = 'control group: niceness counts only within it; beside others the group has one share';
    found.push(finding('autogroup', 'note', text, 'more CPUWeight= of the systemd unit, or docker run --cpu-shares'));
  } else if (linux.autogroup !== null) {
    found.push(finding('autogroup', 'ok', 'autogroup: off, niceness counts everywhere'));
  }
  if (linux.realtimeRuntimeUs === -1) {
    const text = 'real-time throttle: off, a real-time thread that never sleeps takes a CPU for good';
    found.push(finding('realtimeThrottle', 'note', text, 'sudo sysctl -w kernel.sched_rt_runtime_us=950000'));
  }
  const rttimeUs = linux.rttimeUs?.soft ?? Number.POSITIVE_INFINITY;
  if (Number.isFinite(rttimeUs)) {
    const text = `RLIMIT_RTTIME: ${rttimeUs} µs were inherited, a longer stretch at real-time priority ends the process`;
    found.push(finding('rttime', 'note', text));
  }
  if (linux.clocksource !== null && !FAST_CLOCKS.includes(linux.clocksource)) {
    const text = `clock: ${linux.clocksource}, slow to read`;
    found.push(finding('clock', 'problem', text, 'kernel parameter clocksource=tsc, where the CPU allows'));
  } else if (linux.clocksource !== null) {
    found.push(finding('clock', 'ok', `clock: ${linux.clocksource}`));
  }
  return found;
}
