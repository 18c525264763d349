import type { ThreadEnd } from './platform.js';

type Listener = (end: ThreadEnd) => void;

/**
 * Who wants to know of a thread's end for as long as something else is waited for. A promise that lives as long as the
 * thread would keep something of each such wait for as long.
 */
export class EndListeners {
  private readonly listeners: Set<Listener>;
  private end: ThreadEnd | null;

  constructor(ended: Promise<ThreadEnd>) {
    this.listeners = new Set();
    this.end = null;
    void ended.then((end) => {
      this.end = end;
      for (const listener of this.listeners) listener(end);
      this.listeners.clear();
    });
  }

  /** Calls back once, at once if the thread has ended. Returns how to take that back. */
  add(listener: Listener): () => void {
    if (this.end !== null) listener(this.end);
    else this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }
}
