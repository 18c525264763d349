import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import type { Answer, Priority, ThreadControl, ThreadReport, ThreadRequest } from '../thread-control.js';
import { allowedCpusOf } from './cpus.js';

/** The niceness that removes nearly all misses beside CPU hogs and cannot kill a process. */
const HIGH_NICENESS = -11;
const NO_ADDON = 'the native addon is not installed';

/**
 * Thread control without the native addon. Linux: niceness, since there `setpriority` takes a thread id
 * (setpriority(2), "C library/kernel differences"), and the name in `/proc`. Elsewhere: nothing, and it says so.
 */
export class NodeThreadControl implements ThreadControl {
  apply(request: ThreadRequest): ThreadReport {
    if (process.platform !== 'linux') return unsupported(request);
    const threadId = currentThreadId();
    if (threadId === null) return unsupported(request);
    try {
      writeFileSync('/proc/thread-self/comm', request.name.slice(0, 15));
    } catch {
      // a name is a convenience
    }
    return {
      threadId,
      priority: this.applyPriority(request.priority, threadId),
      niceness: readNiceness(threadId),
      cpus: this.answerCpus(request.cpus),
    };
  }

  private applyPriority(requested: Priority, threadId: number): Answer<Priority> {
    const wanted = requested === 'normal' ? 0 : HIGH_NICENESS;
    let reason: string | null = null;
    try {
      // a thread inherits its parent's niceness: set it also for `normal`
      if (getPriority(threadId) !== wanted) setPriority(threadId, wanted);
    } catch (error) {
      reason = systemErrorName(error);
    }
    const niceness = readNiceness(threadId);
    const effective: Priority = niceness !== null && niceness < 0 ? 'high' : 'normal';
    if (requested === 'realtime') {
      return {
        requested,
        effective,
        mechanism: effective === 'high' ? `setpriority ${niceness}` : null,
        reason: reason === null ? NO_ADDON : `${NO_ADDON}; setpriority: ${reason}`,
      };
    }
    if (reason === null) return { requested, effective, mechanism: `setpriority ${niceness}`, reason: null };
    return { requested, effective, mechanism: null, reason: `setpriority: ${reason}` };
  }

  private answerCpus(requested: readonly number[] | null): Answer<readonly number[] | null> {
    const effective = allowedCpusOf('/proc/thread-self/status') ?? null;
    if (requested === null) return { requested, effective, mechanism: null, reason: null };
    const same =
      effective !== null && effective.length === requested.length && effective.every((cpu) => requested.includes(cpu));
    return { requested, effective, mechanism: null, reason: same ? null : NO_ADDON };
  }
}

function unsupported(request: ThreadRequest): ThreadReport {
  const reason = `${NO_ADDON}; without it nothing can be set on ${process.platform}`;
  return {
    threadId: null,
    priority: {
      requested: request.priority,
      effective: 'normal',
      mechanism: null,
      reason: request.priority === 'normal' ? null : reason,
    },
    niceness: null,
    cpus: { requested: request.cpus, effective: null, mechanism: null, reason: request.cpus === null ? null : reason },
  };
}

/** Kernel thread id of the calling thread, or null where `/proc` does not tell. */
export function currentThreadId(): number | null {
  try {
    const id = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    return Number.isInteger(id) && id > 0 ? id : null;
  } catch {
    return null;
  }
}

/** Field 19 of stat: the name before it may hold spaces, so count from the closing bracket. */
function readNiceness(threadId: number): number | null {
  try {
    const stat = readFileSync(`/proc/self/task/${threadId}/stat`, 'latin1');
    const niceness = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
    return Number.isInteger(niceness) ? niceness : null;
  } catch {
    return null;
  }
}

function systemErrorName(error: unknown): string {
  const info = (error as { info?: { code?: string } }).info;
  return info?.code ?? (error as Error).message;
}
