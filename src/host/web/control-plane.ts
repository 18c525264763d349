import { FrameDeadlineError } from '../../base/errors.js';
import { EndListeners } from '../end-listeners.js';
import type { ControlledThread, ThreadEnd } from '../platform.js';
import { transferListOf } from '../transfer-list.js';
import { type ClockReading, measureSkewUs, sharedNowUs } from './clock.js';
import type { Call, FromThread, PlainThrown, ToThread } from './messages.js';

/** Methods that a thread serves: each gives a promise on the calling side. */
export type Remote<Api> = {
  [K in keyof Api]: Api[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

const CLOCK_QUESTIONS = 4;
const CLEARING_UP_MS = 50;

/**
 * Time for the browser to clear up after workers that have ended. Chromium does so on the thread that started them, and
 * keeps that one and them for good if it ends before.
 */
export function clearedUp(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, CLEARING_UP_MS));
}

interface PendingCall {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts a thread whose module calls `serveCalls`, waits until it has, and aligns its clock with this one. `start` makes
 * the Web Worker: bundlers look for `new Worker(new URL(...))` in the caller's own words. Rejects with READY_TIMEOUT or
 * WORKER_DIED; the thread is gone then, or going.
 */
export async function spawnThread<Api>(
  start: () => Worker,
  name: string,
  setup: unknown,
  timeoutMs: number,
): Promise<ControlledThread<Remote<Api>>> {
  const thread = new WebThread(started(start, name), name);
  try {
    await thread.begin(setup, timeoutMs);
  } catch (error) {
    void thread.terminate();
    throw error;
  }
  const api = new Proxy({} as Remote<Api>, {
    get: (_, method) => (method === 'then' ? undefined : (...args: unknown[]) => thread.call(String(method), args)),
  });
  const keepAlive = (): void => {};
  return { api, ended: thread.ended, terminate: () => thread.terminate(), keepAlive };
}

/** A browser refuses at once what comes from another origin, or is a plain address where trusted types are required. */
function started(start: () => Worker, name: string): Worker {
  try {
    return start();
  } catch (error) {
    const { name: kind, message } = error as Error;
    const advice =
      kind === 'SecurityError'
        ? "a worker's module has to come from the page's own origin"
        : "under require-trusted-types-for 'script' a page needs a default policy, see docs/web.md";
    throw new FrameDeadlineError('WORKER_DIED', `${name} could not be started: ${message}; ${advice}`, {
      cause: error,
    });
  }
}

/** A Web Worker as its owner holds it. */
class WebThread {
  /** See `ControlledThread.ended`. The browser tells nobody of a worker's end: the lock that it held becomes free. */
  readonly ended: Promise<ThreadEnd>;
  private readonly ends: EndListeners;
  private readonly worker: Worker;
  private readonly name: string;
  private readonly calls: Map<number, PendingCall>;
  private readonly lock: string;
  private failure: Error | null;
  private isTerminated: boolean;
  /** It holds its lock: its end will be told. */
  private hasBegun: boolean;
  private nextId: number;
  private onReady: () => void;
  private onClock: (ownUs: number) => void;
  private onEnded: (end: ThreadEnd) => void;

  constructor(worker: Worker, name: string) {
    this.worker = worker;
    this.name = name;
    this.calls = new Map();
    this.lock = `frame-deadline ${name} ${crypto.randomUUID()}`;
    this.failure = null;
    this.isTerminated = false;
    this.hasBegun = false;
    this.nextId = 1;
    this.onReady = () => {};
    this.onClock = () => {};
    this.onEnded = () => {};
    this.ended = new Promise((resolve) => {
      this.onEnded = resolve;
    });
    this.ends = new EndListeners(this.ended);
    worker.addEventListener('message', ({ data }: MessageEvent<FromThread>) => this.receive(data));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      const why =
        event.message ||
        'its module could not be loaded; look for a 404, a Content-Security-Policy without worker-src, or a response without Cross-Origin-Embedder-Policy: require-corp';
      this.fail(event.error instanceof Error ? event.error : new Error(why));
    });
  }

  async begin(setup: unknown, timeoutMs: number): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.onReady = resolve;
    });
    this.post({ kind: 'hello', lock: this.lock, setup });
    await this.unlessEnded(ready, 'start', timeoutMs);
    await this.unlessEnded(this.align(), 'start', timeoutMs);
  }

  async call(method: string, args: readonly unknown[]): Promise<unknown> {
    const id = this.nextId++;
    const answered = new Promise((resolve, reject) => this.calls.set(id, { resolve, reject }));
    const call: Call = { kind: 'call', id, method, args };
    try {
      this.post(call, args.flatMap(transferListOf));
      return await this.unlessEnded(answered, method, null);
    } finally {
      this.calls.delete(id);
    }
  }

  /** Ends the thread, also one in an endless loop (after the browser's own grace of up to 2 s). */
  async terminate(): Promise<void> {
    this.stop();
    await this.ended;
  }

  private post(message: ToThread, transferList: readonly object[] = []): void {
    this.worker.postMessage(message, transferList as Transferable[]);
  }

  private async align(): Promise<void> {
    const readings: ClockReading[] = [];
    while (readings.length < CLOCK_QUESTIONS) {
      const answer = new Promise<number>((resolve) => {
        this.onClock = resolve;
      });
      const askedUs = sharedNowUs();
      this.post({ kind: 'clock' });
      const otherUs = await answer;
      readings.push({ askedUs, otherUs, answeredUs: sharedNowUs() });
    }
    this.post({ kind: 'align', skewUs: measureSkewUs(readings) });
  }

  private receive(message: FromThread): void {
    switch (message.kind) {
      case 'ready':
        this.hasBegun = true;
        void navigator.locks.request(this.lock, () => this.end());
        this.onReady();
        break;
      case 'clock':
        this.onClock(message.ownUs);
        break;
      case 'dying':
        this.fail(errorOf(message.thrown));
        break;
      case 'answer': {
        const call = this.calls.get(message.id);
        if (message.thrown === null) call?.resolve(message.result);
        else call?.reject(errorOf(message.thrown));
        break;
      }
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.stop();
  }

  private stop(): void {
    this.isTerminated = true;
    this.worker.terminate();
    // it ran nothing yet that anybody could have noticed, and holds no lock that could tell of its end
    if (!this.hasBegun) this.end();
  }

  private end(): void {
    // its thread is done, but Chromium keeps one that closed itself until this
    this.worker.terminate();
    this.onEnded({ exitCode: this.isTerminated ? 1 : 0, error: this.failure });
  }

  private async unlessEnded<T>(what: Promise<T>, doing: string, timeoutMs: number | null): Promise<T> {
    let timer: number | undefined;
    let forget = (): void => {};
    const over = new Promise<never>((_, reject) => {
      forget = this.ends.add(({ error }) => {
        const why = error === null ? 'it was closed or terminated' : error.message;
        reject(new FrameDeadlineError('WORKER_DIED', `${this.name} ended during ${doing}: ${why}`, { cause: error }));
      });
    });
    const racers: Promise<T>[] = [what, over];
    if (timeoutMs !== null) {
      racers.push(
        new Promise((_, reject) => {
          timer = setTimeout(() => {
            const message = `${this.name} was not done with ${doing} after ${timeoutMs} ms`;
            reject(new FrameDeadlineError('READY_TIMEOUT', message));
          }, timeoutMs);
        }),
      );
    }
    try {
      return await Promise.race(racers);
    } finally {
      clearTimeout(timer);
      forget();
    }
  }
}

function errorOf({ name, message, stack, code }: PlainThrown): Error {
  const error = new Error(message);
  error.name = name;
  if (stack !== null) error.stack = stack;
  return code === null ? error : Object.assign(error, { code });
}
