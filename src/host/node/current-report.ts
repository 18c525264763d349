import type { Priority, ThreadReport } from '../thread-control.js';
import { loadAddon } from './addon.js';
import { LEVELS } from './addon-thread-control.js';
import { allowedCpusOf } from './cpus.js';
import { noteOf } from './niceness-scope.js';
import { policyName, readNiceness, readPolicy, readTimerSlackNs } from './thread-control.js';

/** What is in force for a thread now. */
interface Now {
  readonly level: Priority;
  readonly niceness: number | null;
  readonly policy: string | null;
  readonly cpus: readonly number[] | null;
  /** Why the leash demoted it, or null. */
  readonly demoted: string | null;
}

/**
 * The report of a thread of this process as it is now: the leash may have demoted it, and so may others (RealtimeKit's
 * watchdog, `chrt`, `renice`, `taskset`). A thread that is real-time no more gets the CPU of the host back. The same
 * object where nothing changed, the thread has ended, or the platform does not tell. Some system calls a thread; from
 * any thread of the process.
 */
export function currentReport(report: ThreadReport): ThreadReport {
  const { threadId, priority } = report;
  if (process.platform !== 'linux' || threadId === null) return report;
  let now = readNow(threadId);
  if (now === null) return report;
  const rank = LEVELS.indexOf(now.level) - LEVELS.indexOf(priority.effective);
  if (rank < 0 && priority.effective === 'realtime') {
    loadAddon().addon?.abandon(threadId);
    now = readNow(threadId) ?? now;
  }
  if (rank === 0 && now.niceness === report.niceness && sameCpus(now.cpus, report.cpus.effective)) return report;
  const isDemoted = rank < 0;
  const cpus = sameCpus(now.cpus, report.cpus.effective)
    ? report.cpus
    : {
        ...report.cpus,
        effective: now.cpus,
        reason: isDemoted ? null : 'changed by another program (taskset, cpuset)',
      };
  return {
    ...report,
    niceness: now.niceness,
    policy: now.policy,
    cpus,
    leash: isDemoted ? null : report.leash,
    // real-time has none of its own; another thread's can be read with a privilege only
    timerSlackNs: rank === 0 ? report.timerSlackNs : { ...report.timerSlackNs, effective: readTimerSlackNs(threadId) },
    priority: rank === 0 ? priority : changedPriority(report, now, isDemoted),
  };
}

function changedPriority(report: ThreadReport, now: Now, isDemoted: boolean): ThreadReport['priority'] {
  const { requested, reason } = report.priority;
  const inForce = `${now.policy}, niceness ${now.niceness}`;
  const why = isDemoted ? (now.demoted ?? `demoted by another program: ${inForce}`) : null;
  const reasons = [why, reason].filter((text) => text !== null);
  const isLess = LEVELS.indexOf(now.level) < LEVELS.indexOf(requested);
  return {
    requested,
    effective: now.level,
    mechanism: isDemoted
      ? now.level === 'high'
        ? `setpriority ${now.niceness}`
        : null
      : `another program: ${inForce}`,
    reason: isLess && reasons.length > 0 ? reasons.join('; ') : null,
    ...noteOf(now.level),
  };
}

function readNow(threadId: number): Now | null {
  const { addon } = loadAddon();
  if (addon !== null) {
    const state = addon.read(threadId);
    if (state.error !== null) return null;
    return { ...state, level: LEVELS[state.priority] ?? 'normal' };
  }
  const niceness = readNiceness(threadId);
  if (niceness === null) return null;
  const policy = readPolicy(threadId);
  // SCHED_FIFO, SCHED_RR, SCHED_DEADLINE
  const isRealtime = policy === 1 || policy === 2 || policy === 6;
  return {
    level: isRealtime ? 'realtime' : niceness < 0 ? 'high' : 'normal',
    niceness,
    policy: policyName(policy),
    cpus: allowedCpusOf(`/proc/self/task/${threadId}/status`),
    demoted: null,
  };
}

function sameCpus(a: readonly number[] | null, b: readonly number[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((cpu, i) => cpu === b[i]);
}
