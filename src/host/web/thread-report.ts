import type { MemoryLock, ThreadReport, ThreadRequest } from '../thread-control.js';

/** What a thread of a page gets: nothing of what it asks for, each with the reason. */
export function refusedReport(request: ThreadRequest): ThreadReport {
  const { priority, cpus } = request;
  return {
    threadId: null,
    priority: {
      requested: priority,
      effective: 'normal',
      mechanism: null,
      reason: priority === 'normal' ? null : 'a page cannot set priority',
    },
    niceness: null,
    policy: null,
    cpus: {
      requested: cpus,
      effective: null,
      mechanism: null,
      reason: cpus === null ? null : 'a page cannot choose CPUs',
    },
    timerSlackNs: {
      requested: null,
      effective: null,
      mechanism: null,
      reason: 'a page cannot read or set timer slack',
    },
    leash: null,
  };
}

export function refusedMemoryLock(buffers: readonly SharedArrayBuffer[]): MemoryLock {
  return {
    requestedBytes: buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0),
    lockedBytes: 0,
    mechanism: null,
    reason: 'a page cannot lock memory',
  };
}
