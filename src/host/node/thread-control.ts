import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import type { Answer, Priority, ThreadControl, ThreadReport, ThreadRequest } from '../thread-control.js';
import { type AddonLoad, loadAddon } from './addon.js';
import { AddonThreadControl } from './addon-thread-control.js';
import { allowedCpusOf } from './cpus.js';
import { noteOf } from './niceness-scope.js';
import { processBeginning } from './process-beginning.js';

/** The niceness that removes nearly all misses beside CPU hogs and cannot kill a process. */
export const HIGH_NICENESS = -11;
/** sched(7). */
export const SCHED_RR = 2;
const SHARP_TIMER_SLACK_NS = 1;

/** Thread control on Node: by the native addon where it is there, else by what `/proc` and `node:os` offer. */
export class NodeThreadControl implements ThreadControl {
  private readonly control: ThreadControl;
  constructor(load: AddonLoad = loadAddon()) {
    this.control = load.addon === null ? new PlainThreadControl(load.reason) : new AddonThreadControl(load.addon);
  }
  apply(request: ThreadRequest): ThreadReport {
    return this.control.apply(request);
  }
}

/**
 * Thread control without the native addon. Linux: niceness, since there `setpriority` takes a thread id
 * (setpriority(2), "C library/kernel differences"), and the name and the timer slack in `/proc`. Elsewhere: nothing, and
 * it says so.
 */
class PlainThreadControl implements ThreadControl {
  private readonly noAddon: string;
  /** @param noAddon why there is no addon */
  constructor(noAddon: string) {
    this.noAddon = noAddon;
  }

  apply(request: ThreadRequest): ThreadReport {
    const threadId = process.platform === 'linux' ? currentThreadId() : null;
    if (threadId === null) return this.unsupported(request);
    try {
      writeFileSync('/proc/thread-self/comm', request.name.slice(0, 15));
    } catch {
      // a name is a convenience
    }
    return {
      threadId,
      priority: this.applyPriority(request.priority, threadId),
      niceness: readNiceness(threadId),
      policy: policyName(readPolicy(threadId)),
      cpus: this.answerCpus(request.cpus),
      timerSlackNs: applyTimerSlack(request.priority, threadId),
      leash: null,
    };
  }

  private applyPriority(requested: Priority, threadId: number): Answer<Priority> {
    // a thread inherits its parent's niceness: what another was granted is given back first
    let reason = setNiceness(threadId, processBeginning().niceness);
    if (requested !== 'normal') reason = setNiceness(threadId, Math.min(HIGH_NICENESS, processBeginning().niceness));
    const niceness = readNiceness(threadId);
    const effective: Priority = niceness !== null && niceness < 0 ? 'high' : 'normal';
    const mechanism = reason === null ? `setpriority ${niceness}` : null;
    const refusal = reason === null ? null : `setpriority: ${reason}`;
    const note = noteOf(effective);
    if (requested !== 'realtime') return { requested, effective, mechanism, reason: refusal, ...note };
    const reasons = refusal === null ? this.noAddon : `${this.noAddon}; ${refusal}`;
    return { requested, effective, mechanism: effective === 'high' ? mechanism : null, reason: reasons, ...note };
  }

  private answerCpus(requested: readonly number[] | null): Answer<readonly number[] | null> {
    const effective = allowedCpusOf('/proc/thread-self/status') ?? null;
    if (requested === null) return { requested, effective, mechanism: null, reason: null };
    const same =
      effective !== null && effective.length === requested.length && effective.every((cpu) => requested.includes(cpu));
    return { requested, effective, mechanism: null, reason: same ? null : this.noAddon };
  }

  private unsupported({ priority, cpus }: ThreadRequest): ThreadReport {
    const reason = `${this.noAddon}; without it nothing can be set on ${process.platform}`;
    return {
      threadId: null,
      priority: {
        requested: priority,
        effective: 'normal',
        mechanism: null,
        reason: priority === 'normal' ? null : reason,
      },
      niceness: null,
      policy: null,
      cpus: { requested: cpus, effective: null, mechanism: null, reason: cpus === null ? null : reason },
      timerSlackNs: { requested: null, effective: null, mechanism: null, reason: null },
      leash: null,
    };
  }
}

/** Null, or the name of the error. */
function setNiceness(threadId: number, niceness: number): string | null {
  try {
    if (getPriority(threadId) !== niceness) setPriority(threadId, niceness);
    return null;
  } catch (error) {
    return systemErrorName(error);
  }
}

/**
 * A thread may set its own without privilege (proc(5), `timerslack_ns`). One that asks for none takes the process's back:
 * it inherited that of the thread that made it, and a written 0 would restore only that.
 */
function applyTimerSlack(priority: Priority, threadId: number): Answer<number | null> {
  const path = `/proc/${threadId}/timerslack_ns`;
  const requested = priority === 'normal' ? null : SHARP_TIMER_SLACK_NS;
  const wanted = requested ?? processBeginning().timerSlackNs;
  let reason: string | null = null;
  let effective: number | null = null;
  try {
    if (wanted !== null) writeFileSync(path, String(wanted));
    effective = Number(readFileSync(path, 'latin1'));
  } catch (error) {
    reason = `timerslack_ns: ${systemErrorName(error)}`;
  }
  const mechanism = requested === null || reason !== null ? null : 'timerslack_ns';
  return { requested, effective, mechanism, reason };
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

/** Niceness of a thread of this process (field 19 of stat), null where `/proc` does not tell. */
export function readNiceness(threadId: number): number | null {
  return readStat(threadId, 19);
}

/** Number of the policy of a thread of this process (field 41 of stat), null where `/proc` does not tell. */
export function readPolicy(threadId: number): number | null {
  return readStat(threadId, 41);
}

/** Of a thread of this process, null where it may not be read: of another thread with CAP_SYS_NICE only (proc(5)). */
export function readTimerSlackNs(threadId: number): number | null {
  try {
    const value = Number(readFileSync(`/proc/${threadId}/timerslack_ns`, 'latin1'));
    return Number.isInteger(value) ? value : null;
  } catch {
    return null;
  }
}

/** Names of sched(7), by number. */
const POLICIES: readonly string[] = ['OTHER', 'FIFO', 'RR', 'BATCH', '', 'IDLE', 'DEADLINE'];

/** Such as `SCHED_OTHER`, null for none. */
export function policyName(policy: number | null): string | null {
  if (policy === null) return null;
  const name = POLICIES[policy] ?? '';
  return name === '' ? `policy ${policy}` : `SCHED_${name}`;
}

/** A whole number of proc(5), `stat`: the name in field 2 may hold spaces, so count from the closing bracket. */
function readStat(threadId: number, field: number): number | null {
  try {
    const stat = readFileSync(`/proc/self/task/${threadId}/stat`, 'latin1');
    const value = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[field - 3]);
    return Number.isInteger(value) ? value : null;
  } catch {
    return null;
  }
}

function systemErrorName(error: unknown): string {
  const { info, code, message } = error as { info?: { code?: string }; code?: string; message: string };
  return info?.code ?? code ?? message;
}
