import { stat } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { processBeginning } from './process-beginning.js';

/** What `native/binding.c` exports. Wrong types throw TypeError, numbers out of range RangeError. */
export interface NativeAddon {
  /** `linux`, `darwin`, `win32`, or `none`. */
  readonly platform: string;
  /** Sets what is asked for the calling thread and reads back what is in force. Blocks for some system calls. */
  apply(request: NativeRequest): NativeReport;
  /** Takes back what was prepared for a thread of this process whose broker refused. */
  abandon(threadId: number): void;
  /** What is in force for a thread of this process; 0 is the calling thread. */
  read(threadId: number): NativeState;
  /** Keeps memory from being paged out until it is freed. Only of a SharedArrayBuffer. */
  lockMemory(bytes: Uint8Array): { locked: boolean; mechanism: string | null; reason: string | null };
  /**
   * Fills in totals of the calling thread, by USAGE_* (times in microseconds); NaN where the platform does not tell. At
   * least USAGE_VALUES elements. Allocates nothing; one system call, under a microsecond on Linux.
   */
  usage(target: Float64Array): void;
}

export const USAGE_USER_US = 0;
export const USAGE_SYSTEM_US = 1;
export const USAGE_VOLUNTARY_SWITCHES = 2;
export const USAGE_INVOLUNTARY_SWITCHES = 3;
export const USAGE_MINOR_FAULTS = 4;
export const USAGE_MAJOR_FAULTS = 5;
/** Of the whole process: how often a real-time thread was demoted because it did not sleep within its leash. */
export const USAGE_LEASH_PULLS = 6;
export const USAGE_VALUES = 7;

export interface NativeRequest {
  readonly name: string;
  /** 0 normal, 1 high, 2 realtime. */
  readonly priority: number;
  readonly cpus: readonly number[] | null;
  /** Whole microseconds, 0 to 60 000 000; 0 for none declared. */
  readonly periodUs: number;
  readonly budgetUs: number;
  /** 1 to 99. */
  readonly realtimePriority: number;
  /** 0 to 1 000 000 000; 0: as the process began. */
  readonly timerSlackNs: number;
  /** Whether a broker will be asked for real-time where the system refuses it: then the thread is prepared for it. */
  readonly brokered: boolean;
}

export interface NativeState {
  /** Why it cannot be read, such as `ESRCH` for a thread that has ended, or null. */
  readonly error: string | null;
  readonly threadId: number | null;
  readonly priority: number;
  /** Such as `SCHED_RR|SCHED_RESET_ON_FORK 10`. */
  readonly policy: string | null;
  readonly niceness: number | null;
  readonly cpus: readonly number[] | null;
  readonly timerSlackNs: number | null;
  /** Why the leash took real-time back from the thread since it last applied, or null. */
  readonly demoted: string | null;
}

export interface NativeHow {
  readonly mechanism: string | null;
  readonly reason: string | null;
}

export interface NativeReport {
  readonly state: NativeState;
  readonly priority: NativeHow;
  readonly cpus: NativeHow;
  readonly timerSlack: NativeHow;
  /** What stops a real-time thread that never sleeps, in words; null unless real-time is in force or prepared. */
  readonly leash: string | null;
}

/** The addon, or why there is none. */
export type AddonLoad =
  | { readonly addon: NativeAddon; readonly reason: null }
  | { readonly addon: null; readonly reason: string };

/** Environment variable that switches the addon off with the value `0`, in threads made later too. */
export const ADDON_VARIABLE = 'FRAME_DEADLINE_ADDON';

const FUNCTIONS = ['apply', 'abandon', 'read', 'lockMemory', 'usage'] as const;

let loaded: AddonLoad | null = null;

/**
 * Finds and loads the native addon, once for each thread. To be called in the main thread before the first worker is
 * made: what is in force then is what threads go back to. Never throws. Reads a folder, blocks for a few milliseconds.
 */
export function loadAddon(): AddonLoad {
  if (loaded !== null) return loaded;
  processBeginning();
  if (isMainThread) startPoolThreads();
  loaded = load();
  return loaded;
}

function load(): AddonLoad {
  if (process.env[ADDON_VARIABLE] === '0') return without(`switched off by ${ADDON_VARIABLE}=0`);
  try {
    const require = createRequire(import.meta.url);
    const find = require('node-gyp-build') as (folder: string) => unknown;
    return checked(find(fileURLToPath(new URL('../../../native', import.meta.url))));
  } catch (error) {
    // the first line: the others name folders
    const message = (error instanceof Error ? error.message : String(error)).split('\n')[0];
    return without(message ?? '');
  }
}

/** A build that was left from an older version may lack what is called: then it is as good as none. */
export function checked(addon: unknown): AddonLoad {
  const exported = addon as Partial<Record<keyof NativeAddon, unknown>> | null | undefined;
  const missing = FUNCTIONS.find((name) => typeof exported?.[name] !== 'function');
  if (missing === undefined && typeof exported?.platform === 'string') {
    return { addon: addon as NativeAddon, reason: null };
  }
  return without(`it was built for another version: it has no ${missing ?? 'platform'}`);
}

function without(why: string): AddonLoad {
  return { addon: null, reason: `the native addon is not loaded: ${why}` };
}

/**
 * libuv makes the threads of its pool on first use, and threads inherit affinity and niceness: were it used first by a
 * pinned worker, the whole pool would be pinned with it.
 */
function startPoolThreads(): void {
  stat('.', () => {});
}
