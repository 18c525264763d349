/** How urgent a thread is to the operating system. `realtime` needs the native addon and a privilege. */
export type Priority = 'normal' | 'high' | 'realtime';

/** What a thread asks of the operating system for itself. */
export interface ThreadRequest {
  /** Shown by debuggers, and by `/proc` on Linux (15 bytes there). */
  readonly name: string;
  readonly priority: Priority;
  /** CPUs to run on, or null for all that the process may use. */
  readonly cpus: readonly number[] | null;
  /** What it may take at real-time priority. Without it `realtime` is not granted. */
  readonly budget?: ThreadBudget | null;
  /** Whether it may look for work without sleeping. Then `realtime` is not granted. */
  readonly mayPoll?: boolean;
  /** Whether somebody else is asked where the operating system refuses `realtime`: then the thread is prepared for it. */
  readonly brokered?: boolean;
}

/** At most `budgetUs` microseconds of CPU time in every `periodUs`; above 0, the budget below the period. */
export interface ThreadBudget {
  readonly periodUs: number;
  readonly budgetUs: number;
}

/** What was asked, what is in force, by which mechanism, and why less (contract C6). */
export interface Answer<T> {
  readonly requested: T;
  readonly effective: T;
  /** The call that brought it about, or null if none did. */
  readonly mechanism: string | null;
  /** Why it is less than was asked, with the operating system's own error name, or null. */
  readonly reason: string | null;
  /** What bounds its effect though it is in force, such as a niceness that counts only within its session. */
  readonly note?: string;
}

/** What is in force for one thread, read back after setting. Plain data. */
export interface ThreadReport {
  readonly threadId: number | null;
  readonly priority: Answer<Priority>;
  /** Niceness in force, null where it cannot be read. */
  readonly niceness: number | null;
  /** The operating system's name of the policy in force, such as `SCHED_RR|SCHED_RESET_ON_FORK 10`, or null. */
  readonly policy: string | null;
  readonly cpus: Answer<readonly number[] | null>;
  /** How much later than asked a sleep may end, in nanoseconds; requested null: as the process began. */
  readonly timerSlackNs: Answer<number | null>;
  /** What stops the thread if it never sleeps, in words; null unless it is real-time, or prepared for a broker. */
  readonly leash: string | null;
  /** When its garbage is collected. Absent where nothing was asked. */
  readonly gc?: Answer<'auto' | 'inSlack'>;
}

/** Sets and reads what the operating system grants the calling thread. */
export interface ThreadControl {
  /** Applies the request to the calling thread and reports what is in force. Never throws. Blocks for some system calls. */
  apply(request: ThreadRequest): ThreadReport;
}

/** What became of the request to keep memory from being paged out. */
export interface MemoryLock {
  readonly requestedBytes: number;
  readonly lockedBytes: number;
  readonly mechanism: string | null;
  /** Why it is less than was asked, with the operating system's own error name, or null. */
  readonly reason: string | null;
}
