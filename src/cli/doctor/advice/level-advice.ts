import { HIGH_NICENESS } from '../../../host/node/thread-control.js';
import type { Priority } from '../../../host/thread-control.js';
import type { LimitsEntry, LinuxFacts, MachineFacts } from '../machine/facts.js';

/** RLIMIT_RTPRIO to ask for: what RealtimeKit grants at most, and more than the scheduler uses. */
const RTPRIO = 20;
/** RLIMIT_NICE for the niceness of `high` (getrlimit(2)). */
const NICE_LIMIT = 20 - HIGH_NICENESS;
const REALTIME_RUNTIME_US = 950_000;
const LIMITS_FILE = '/etc/security/limits.d/95-frame-deadline.conf';

const INSTALL: readonly [distribution: string, command: string][] = [
  ['debian', 'apt install'],
  ['ubuntu', 'apt install'],
  ['fedora', 'dnf install'],
  ['rhel', 'dnf install'],
  ['arch', 'pacman -S'],
  ['suse', 'zypper install'],
  ['opensuse', 'zypper install'],
  ['alpine', 'apk add'],
];

/**
 * What to do to get a level that was refused: steps, all of them needed, each with its alternatives, best first. Empty
 * where nothing is known to help.
 * @param reason of the thread's report, or null
 */
export function adviseLevel(level: Priority, reason: string | null, facts: MachineFacts): string[][] {
  if (level === 'normal') return [];
  const steps: string[][] = [];
  if (!facts.addonLoaded && (level === 'realtime' || facts.linux === null)) steps.push([addonAdvice(facts)]);
  const { linux } = facts;
  if (linux === null) return steps;
  if (level === 'realtime') {
    if (facts.allowedCpus.length < 2 || reason?.includes('no allowed CPU') === true) {
      return [...steps, [secondCpuAdvice(facts)]];
    }
    if (linux.realtimeRuntimeUs === 0) {
      steps.push([`sudo sysctl -w kernel.sched_rt_runtime_us=${REALTIME_RUNTIME_US} (it is 0: nobody gets real-time)`]);
    }
    if (linux.cgroupRealtimeRuntimeUs === 0) steps.push([cgroupAdvice(facts)]);
  }
  if (!isPermitted(level, linux)) steps.push(permissionAdvice(level, reason, facts, linux));
  return steps.filter((alternatives) => alternatives.length > 0);
}

/** Whether the user's limits or capabilities let this level be set, so that something else is in the way. */
export function isPermitted(level: Priority, linux: LinuxFacts): boolean {
  if (linux.capSysNice === true) return true;
  return level === 'realtime' ? (linux.rtprio?.soft ?? 0) >= 1 : (linux.nice?.soft ?? 0) >= NICE_LIMIT;
}

function addonAdvice({ addonReason }: MachineFacts): string {
  if (addonReason?.includes('switched off') === true) return 'do not switch the native addon off';
  return 'the native addon: reinstall frame-deadline; where it comes without one, `npx node-gyp rebuild -C node_modules/frame-deadline/native`; in a clone `npm run build:native`';
}

function secondCpuAdvice({ container }: MachineFacts): string {
  const how = container === null ? 'taskset -c 0,1 or AllowedCPUs=' : 'docker run --cpuset-cpus=0,1';
  return `allow the process a second CPU (${how}): real-time threads leave one to the others`;
}

function cgroupAdvice({ container }: MachineFacts): string {
  if (container !== null) {
    return `docker run --cpu-rt-runtime=${REALTIME_RUNTIME_US} (dockerd too): the control group has no real-time share`;
  }
  return `give the control group a real-time share: write ${REALTIME_RUNTIME_US} to its cpu.rt_runtime_us, and to those above it`;
}

function permissionAdvice(level: Priority, reason: string | null, facts: MachineFacts, linux: LinuxFacts): string[] {
  switch (facts.container) {
    case 'docker':
    case 'podman': {
      const limit = level === 'realtime' ? `rtprio=${RTPRIO}` : `nice=${NICE_LIMIT}`;
      return [`${facts.container} run --cap-add SYS_NICE --ulimit ${limit} …`];
    }
    case 'kubernetes':
      return ['securityContext: { capabilities: { add: ["SYS_NICE"] } } of the container'];
    case 'lxc':
    case 'container':
      return ['give the container CAP_SYS_NICE'];
    case 'flatpak':
    case 'snap':
      return brokerAdvice(reason, facts, linux);
  }
  return [
    ...groupAdvice(level, facts, linux),
    ...brokerAdvice(reason, facts, linux),
    ...limitAdvice(level, facts, linux),
  ];
}

/** A group whose members are allowed it already. */
function groupAdvice(level: Priority, { user }: MachineFacts, linux: LinuxFacts): string[] {
  const grants = linux.limitsEntries.filter((entry) => entry.domain.startsWith('@') && entryGrants(entry, level));
  const names = [...new Set(grants.map((entry) => entry.domain.slice(1)))];
  if (names.length === 0) {
    const isArch = linux.distribution.includes('arch');
    return isArch ? [`sudo pacman -S realtime-privileges && sudo usermod -aG realtime ${user}, then log in again`] : [];
  }
  const pending = names.find((name) => linux.listedGroups.includes(name) && !linux.groups.includes(name));
  if (pending !== undefined) return [`log in again: you are in the group ${pending}, but this session is not yet`];
  if (names.some((name) => linux.groups.includes(name))) return ['log in again: your group is granted it'];
  return [`sudo usermod -aG ${names[0]} ${user}, then log in again: the group is granted it`];
}

function entryGrants({ item, value }: LimitsEntry, level: Priority): boolean {
  return level === 'realtime' ? item === 'rtprio' && value >= 1 : item === 'nice' && value <= HIGH_NICENESS;
}

/** RealtimeKit or the portal: no configuration, where a desktop runs. */
function brokerAdvice(reason: string | null, facts: MachineFacts, linux: LinuxFacts): string[] {
  // root has no session of its own; and one that was asked and refused is there already
  if (facts.uid === 0 || reason?.includes('AccessDenied') === true) return [];
  const steps: string[] = [];
  if (!facts.canAskBrokers) steps.push('npm install dbus-native');
  const install = INSTALL.find(([distribution]) => linux.distribution.includes(distribution))?.[1];
  const isSandboxed = facts.container !== null;
  if (!isSandboxed && install !== undefined) steps.push(`sudo ${install} rtkit`);
  if (steps.length === 0) return [];
  return [`on a desktop: ${steps.join('; ')} (RealtimeKit then grants it without any setting)`];
}

function limitAdvice(level: Priority, { user, uid }: MachineFacts, linux: LinuxFacts): string[] {
  if (uid === 0) return ['run it with CAP_SYS_NICE: this root does not have it'];
  const isRealtime = level === 'realtime';
  const line = isRealtime ? `${user} - rtprio ${RTPRIO}` : `${user} - nice ${HIGH_NICENESS}`;
  const already = linux.limitsEntries.find((entry) => entry.domain === user && entryGrants(entry, level));
  const inFile =
    already === undefined
      ? `the line \`${line}\` in ${LIMITS_FILE}, then log in again`
      : `log in again: ${already.file} grants it, but this session began without`;
  const unit = isRealtime ? `LimitRTPRIO=${RTPRIO}` : `LimitNICE=${NICE_LIMIT}`;
  return [inFile, `as a systemd service: ${unit}`];
}
