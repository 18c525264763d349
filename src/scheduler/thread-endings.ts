import { endsWithin, type WorkerThread } from './places.js';

/** How long a thread may take to end before it is taken to hang in native code. Chromium gives one 2 s. */
export const WRITE_OFF_MS = 3000;

/**
 * Threads that are ended and serve nothing: spares, and what a reload has made. One that hangs in native code (a task module
 * that waits for a program, for instance) cannot be ended by anybody: nothing waits for it. Supervisor.
 */
export class ThreadEndings {
  /** Those that are not gone, with whether they will be. */
  private readonly threads: Map<WorkerThread, Promise<boolean>>;

  constructor() {
    this.threads = new Map();
  }

  /** Ends it. Resolves when it is gone, or is not for so long that it will not. */
  async end(thread: WorkerThread): Promise<void> {
    const known = this.threads.get(thread);
    if (known !== undefined) {
      await known;
      return;
    }
    void thread.terminate();
    const ends = endsWithin(thread, WRITE_OFF_MS);
    this.threads.set(thread, ends);
    void thread.ended.then(() => this.threads.delete(thread));
    await ends;
  }

  /** How many of them do not end. */
  async left(): Promise<number> {
    const ends = await Promise.all(this.threads.values());
    return ends.filter((hasEnded) => !hasEnded).length;
  }
}
