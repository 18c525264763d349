import type { Priority, ThreadControl, ThreadReport, ThreadRequest } from '../thread-control.js';
import type { NativeAddon } from './addon.js';
import { noteOf } from './niceness-scope.js';

/** In the order of the addon's numbers. */
export const LEVELS: readonly Priority[] = ['normal', 'high', 'realtime'];
/** Above what runs as real-time by accident, below audio servers (20 and more) and the kernel's own threads. */
export const REALTIME_PRIORITY = 10;
/** The least there is: the default of 50 000 ns is a wake-up that much later. */
const SHARP_TIMER_SLACK_NS = 1;
const LONGEST_PERIOD_US = 60_000_000;

/** Thread control by the native addon. */
export class AddonThreadControl implements ThreadControl {
  private readonly addon: NativeAddon;
  constructor(addon: NativeAddon) {
    this.addon = addon;
  }

  apply(request: ThreadRequest): ThreadReport {
    const { priority, cpus, budget } = request;
    // at real-time priority, looking for work would starve what it looks for
    const polls = priority === 'realtime' && request.mayPoll === true;
    const granted: Priority = polls ? 'high' : priority;
    const timerSlackNs = granted === 'normal' ? 0 : SHARP_TIMER_SLACK_NS;
    const native = this.addon.apply({
      name: request.name,
      priority: LEVELS.indexOf(granted),
      cpus: cpus === null ? null : [...cpus],
      periodUs: wholeUs(budget?.periodUs),
      budgetUs: wholeUs(budget?.budgetUs),
      realtimePriority: REALTIME_PRIORITY,
      timerSlackNs,
      brokered: request.brokered === true,
    });
    const { state } = native;
    return {
      threadId: state.threadId,
      priority: {
        requested: priority,
        effective: LEVELS[state.priority] ?? 'normal',
        mechanism: native.priority.mechanism,
        reason: polls
          ? join('realtime is not for a thread that polls (spinUs above 0)', native.priority.reason)
          : native.priority.reason,
        ...noteOf(LEVELS[state.priority]),
      },
      niceness: state.niceness,
      policy: state.policy,
      cpus: { requested: cpus, effective: state.cpus, ...native.cpus },
      timerSlackNs: {
        requested: timerSlackNs === 0 ? null : timerSlackNs,
        effective: state.timerSlackNs,
        ...native.timerSlack,
      },
      leash: native.leash,
    };
  }
}

/** Rounded up, so that a small budget does not become none. */
function wholeUs(us: number | undefined): number {
  return us !== undefined && us > 0 ? Math.min(LONGEST_PERIOD_US, Math.ceil(us)) : 0;
}

function join(first: string, second: string | null): string {
  return second === null ? first : `${first}; ${second}`;
}
