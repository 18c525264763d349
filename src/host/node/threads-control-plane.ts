import type { Worker, WorkerOptions } from 'node:worker_threads';
import { FrameDeadlineError } from '../../base/errors.js';
import { EndListeners } from '../end-listeners.js';
import type { ControlledThread } from '../platform.js';
import { transferListOf } from '../transfer-list.js';
import { takeThread } from './starting-thread.js';

/** Methods that a thread exposes: each gives a promise on the calling side. */
export type Remote<Api> = {
  [K in keyof Api]: Api[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

type Spawn = (worker: Worker, options: { timeout: number }) => Promise<unknown>;
type Transfer = (payload: unknown, transferables: readonly object[]) => unknown;
interface Threads {
  readonly spawn: Spawn;
  readonly Transfer: Transfer;
}
let threadsPromise: Promise<Threads> | null = null;

/** Importing `threads` adds signal handlers that end the process; the app owns its signals. */
function importThreads(): Promise<Threads> {
  threadsPromise ??= (async () => {
    const signals = ['SIGINT', 'SIGTERM'] as const;
    const before = signals.map((signal) => process.listeners(signal));
    const threads = await import('threads');
    // the handlers are added when the first worker implementation is chosen, at the latest by this import
    signals.forEach((signal, i) => {
      for (const listener of process.listeners(signal)) {
        if (!before[i]!.includes(listener)) process.off(signal, listener);
      }
    });
    return threads as unknown as Threads;
  })();
  return threadsPromise;
}

/**
 * Starts a thread whose module calls `expose` of `threads/worker`, and waits until it has. Rejects with READY_TIMEOUT or
 * WORKER_DIED; the thread is gone then.
 */
export async function spawnThread<Api>(
  url: URL,
  options: WorkerOptions,
  timeoutMs: number,
): Promise<ControlledThread<Remote<Api>>> {
  // it boots while `threads` is imported
  const { worker, ended } = takeThread(url, options);
  const { spawn, Transfer } = await importThreads();
  const terminate = async (): Promise<void> => {
    await worker.terminate();
    await ended;
  };
  const ends = new EndListeners(ended);
  const what = options.name ?? url.pathname;
  const spawned = spawn(worker, { timeout: timeoutMs + 60_000 });
  spawned.catch(() => {});
  const ready = await settleOrEnd(spawned, ends, timeoutMs, what, 'start');
  if (ready instanceof FrameDeadlineError) {
    // a spawn that fails holds the process until its own timeout: let it succeed instead
    worker.emit('message', { type: 'init', exposed: { type: 'module', methods: [] } });
    await terminate();
    throw ready;
  }
  const raw = ready as Record<string, (...args: unknown[]) => Promise<unknown>>;
  const call = async (method: string, args: unknown[]): Promise<unknown> => {
    // `then` at once, or the answer can be lost; a call after the thread's end never settles, so race it
    const moving = args.map((arg) => {
      const list = transferListOf(arg);
      return list.length === 0 ? arg : Transfer(arg, list);
    });
    const answered = raw[method]!(...moving).then((answer) => answer);
    const result = await settleOrEnd(answered, ends, null, what, method);
    if (result instanceof FrameDeadlineError) throw result;
    return result;
  };
  const api = new Proxy({} as Remote<Api>, {
    get: (_, method) => (method === 'then' ? undefined : (...args: unknown[]) => call(String(method), args)),
  });
  return {
    api,
    ended,
    terminate,
    keepAlive: (yes) => {
      if (yes) worker.ref();
      else worker.unref();
    },
  };
}

async function settleOrEnd(
  call: Promise<unknown>,
  ends: EndListeners,
  timeoutMs: number | null,
  what: string,
  doing: string,
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  let forget = (): void => {};
  const over = new Promise<FrameDeadlineError>((resolve) => {
    forget = ends.add(({ error, exitCode }) => {
      const why = error === null ? `exit code ${exitCode}` : error.message;
      resolve(new FrameDeadlineError('WORKER_DIED', `${what} ended during ${doing}: ${why}`, { cause: error }));
    });
  });
  const racers: Promise<unknown>[] = [call, over];
  if (timeoutMs !== null) {
    racers.push(
      new Promise((resolve) => {
        timer = setTimeout(() => {
          const message = `${what} was not done with ${doing} after ${timeoutMs} ms`;
          resolve(new FrameDeadlineError('READY_TIMEOUT', message));
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
