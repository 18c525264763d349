import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

/** What `normal` means for threads of this process: what was in force when the package was loaded. */
export interface ProcessBeginning {
  readonly niceness: number;
  /** Null where `/proc` does not tell. */
  readonly timerSlackNs: number | null;
}

const KEY = 'frame-deadline.processBeginning';

/**
 * Recorded by the first thread that asks, and handed on to the threads made after that: a thread inherits niceness and
 * timer slack of the thread that made it, and one that is not privileged cannot read those of the main thread.
 */
export function processBeginning(): ProcessBeginning {
  const known = getEnvironmentData(KEY) as unknown as ProcessBeginning | undefined;
  if (typeof known?.niceness === 'number') return known;
  const beginning = { niceness: nicenessOfMain(), timerSlackNs: ownTimerSlackNs() };
  // it declares string keys and serializable values, and means them
  setEnvironmentData(KEY, beginning as unknown as Parameters<typeof setEnvironmentData>[1]);
  return beginning;
}

/** On Linux the process's id is also that of its main thread. */
function nicenessOfMain(): number {
  try {
    return getPriority(process.pid);
  } catch {
    return 0;
  }
}

function ownTimerSlackNs(): number | null {
  try {
    const id = readFileSync('/proc/thread-self/stat', 'latin1').split(' ', 1)[0];
    const value = Number(readFileSync(`/proc/${id}/timerslack_ns`, 'latin1'));
    return Number.isInteger(value) && value > 0 ? value : null;
  } catch {
    return null;
  }
}
