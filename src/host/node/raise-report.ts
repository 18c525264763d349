import type { Priority, ThreadReport } from '../thread-control.js';
import { loadAddon } from './addon.js';
import { REALTIME_PRIORITY } from './addon-thread-control.js';
import { noteOf } from './niceness-scope.js';
import { raiseThread, type Wanted } from './realtime-kit.js';
import { HIGH_NICENESS, readNiceness } from './thread-control.js';

/**
 * The report of a thread that was refused priority, after its desktop was asked for it: for real-time if the thread was
 * prepared for that, then for high. Other reports as they are. Never rejects. From any thread of the process.
 */
export async function raisedReport(report: ThreadReport): Promise<ThreadReport> {
  const { priority, threadId } = report;
  if (process.platform !== 'linux' || threadId === null) return report;
  const isPrepared = priority.effective !== 'realtime' && report.leash !== null;
  let raised = report;
  if (isPrepared) {
    raised = await raiseTo('realtime', raised, threadId, { realtimePriority: REALTIME_PRIORITY });
    if (raised.priority.effective !== 'realtime') {
      loadAddon().addon?.abandon(threadId);
      raised = { ...raised, leash: null, cpus: withoutPreparation(raised.cpus, threadId) };
    }
  }
  const isRefused = priority.requested !== 'normal' && raised.priority.effective === 'normal';
  return isRefused ? raiseTo('high', raised, threadId, { niceness: HIGH_NICENESS }) : raised;
}

/** A thread that asked for no CPUs was narrowed for real-time only: it has them all again. Others keep what they asked for. */
function withoutPreparation(cpus: ThreadReport['cpus'], threadId: number): ThreadReport['cpus'] {
  if (cpus.requested !== null) return cpus;
  const effective = loadAddon().addon?.read(threadId).cpus ?? null;
  return { requested: null, effective, mechanism: null, reason: null };
}

async function raiseTo(level: Priority, report: ThreadReport, threadId: number, wanted: Wanted): Promise<ThreadReport> {
  const { priority } = report;
  const { mechanism, reason } = await raiseThread(threadId, wanted);
  if (mechanism === null) {
    // the same was said of a higher level
    const isKnown = reason === null || priority.reason?.includes(reason) === true;
    const reasons = [priority.reason, isKnown ? null : reason].filter((why) => why !== null);
    return { ...report, priority: { ...priority, reason: reasons.length === 0 ? null : reasons.join('; ') } };
  }
  return {
    ...report,
    niceness: readNiceness(threadId),
    policy: loadAddon().addon?.read(threadId).policy ?? report.policy,
    priority: {
      requested: priority.requested,
      effective: level,
      mechanism,
      // what was refused on the way matters only if it was more than this
      reason: priority.requested === level ? null : priority.reason,
      ...noteOf(level),
    },
  };
}
