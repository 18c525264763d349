import type { AttachResult, LoadResult, WorkerApi, WorkerSpec, WorkerState } from './protocol.js';
import type { QuarantinedTask } from './quarantine.js';

/** A worker thread as the supervisor holds it: what a platform's spawn gives. */
export interface WorkerThread {
  readonly api: {
    [K in keyof WorkerApi]: (...args: Parameters<WorkerApi[K]>) => Promise<Awaited<ReturnType<WorkerApi[K]>>>;
  };
  readonly ended: Promise<{ exitCode: number; error: Error | null }>;
  terminate(): Promise<void>;
}

/** A thread that waits for its turn to serve as a worker. */
export interface Spare {
  readonly thread: WorkerThread;
  readonly spec: WorkerSpec;
  /** How many threads have ended their service here when its turn comes. */
  readonly life: number;
  /** What its attaching gives; null: it is to attach once the old thread is gone. */
  attached: Promise<AttachResult> | null;
}

/** A worker: one thread serves as it at a time. */
export interface Place {
  /** Of the tables of the thread that serves, or served last. */
  column: number;
  spec: WorkerSpec;
  /** The tasks of its modules as they were first described; empty before. */
  tasks: LoadedLanes;
  thread: WorkerThread | null;
  state: WorkerState['state'];
  report: WorkerState['report'];
  probes: WorkerState['probes'];
  deaths: number;
  lastDeath: string | null;
  /** Why it is being ended, in words; null if it is not. */
  hung: string | null;
  /** How many threads had ended their service in the column when `thread` began its own. */
  life: number;
  /** Of a reload: follows `thread` in its column. */
  spare: Spare | null;
  /** Threads that hang in native code. */
  writtenOff: number;
  readonly quarantined: QuarantinedTask[];
}

export type LoadedLanes = Extract<LoadResult, { ok: true }>['lanes'];

/** Whether the thread ends within that time. */
export async function endsWithin(thread: WorkerThread, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const hasEnded = await Promise.race([thread.ended.then(() => true), late]);
  clearTimeout(timer);
  return hasEnded;
}
