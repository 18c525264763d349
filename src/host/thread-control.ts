/** How urgent a thread is to the operating system. `realtime` needs the native addon and a privilege. */
export type Priority = 'normal' | 'high' | 'realtime';

/** What a thread asks of the operating system for itself. */
export interface ThreadRequest {
  /** Shown by debuggers, and by `/proc` on Linux (15 bytes there). */
  readonly name: string;
  readonly priority: Priority;
  /** CPUs to run on, or null for all that the process may use. */
  readonly cpus: readonly number[] | null;
}

/** What was asked, what is in force, by which mechanism, and why less (contract C6). */
export interface Answer<T> {
  readonly requested: T;
  readonly effective: T;
  /** The call that brought it about, or null if none did. */
  readonly mechanism: string | null;
  /** Why it is less than was asked, with the operating system's own error name, or null. */
  readonly reason: string | null;
}

/** What is in force for one thread, read back after setting. */
export interface ThreadReport {
  readonly threadId: number | null;
  readonly priority: Answer<Priority>;
  /** Niceness in force, null where it cannot be read. */
  readonly niceness: number | null;
  readonly cpus: Answer<readonly number[] | null>;
}

/** Sets and reads what the operating system grants the calling thread. */
export interface ThreadControl {
  /** Applies the request to the calling thread and reports what is in force. Never throws. Blocks for some system calls. */
  apply(request: ThreadRequest): ThreadReport;
}
