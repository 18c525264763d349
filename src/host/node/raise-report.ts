import type { ThreadReport } from '../thread-control.js';
import { raiseThread } from './realtime-kit.js';
import { HIGH_NICENESS } from './thread-control.js';

/**
 * The report of a thread that was refused any priority, after its desktop was asked for it; other reports as they are.
 * Never rejects. May be called from any thread of the process.
 */
export async function raisedReport(report: ThreadReport): Promise<ThreadReport> {
  const { priority, threadId } = report;
  const refused = priority.requested !== 'normal' && priority.effective === 'normal';
  if (process.platform !== 'linux' || threadId === null || !refused) return report;
  const { niceness, mechanism, reason } = await raiseThread(threadId, HIGH_NICENESS);
  const both = [priority.reason, reason].filter((why) => why !== null).join('; ');
  if (mechanism === null) return { ...report, niceness, priority: { ...priority, reason: both } };
  return {
    ...report,
    niceness,
    priority: {
      requested: priority.requested,
      effective: 'high',
      mechanism,
      // what was refused on the way matters only if it was more than this
      reason: priority.requested === 'high' ? null : priority.reason,
    },
  };
}
