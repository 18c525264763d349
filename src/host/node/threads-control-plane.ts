import { Worker, type WorkerOptions } from 'node:worker_threads';
import { FrameDeadlineError } from '../../base/errors.js';
import type { ControlledThread, ThreadEnd } from '../platform.js';
import { transferListOf } from '../transfer-list.js';

/** Methods that a thread exposes: each gives a promise on the calling side. */
export type Remote<Api> = {
  [K in keyof Api]: Api[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

/** `threads` wants the DOM's event names, and resolves paths that we have as URLs: it gets a worker of its own kind. */
class EventTargetWorker extends Worker {
  private readonly wrapped = new Map<unknown, (message: unknown) => void>();
  addEventListener(name: string, listener: (event: { data: unknown }) => void): void {
    const wrapper = (message: unknown): void => listener({ data: message });
    this.wrapped.set(listener, wrapper);
    this.on(name, wrapper);
  }
  removeEventListener(name: string, listener: unknown): void {
    const wrapper = this.wrapped.get(listener);
    if (wrapper === undefined) return;
    this.wrapped.delete(listener);
    this.off(name, wrapper);
  }
}

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
  const { spawn, Transfer } = await importThreads();
  const worker = makeWorker(url, options);
  worker.setMaxListeners(0);
  let failure: Error | null = null;
  worker.on('error', (error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  const ended = new Promise<ThreadEnd>((resolve) => {
    worker.once('exit', (exitCode) => resolve({ exitCode, error: failure }));
  });
  const terminate = async (): Promise<void> => {
    await worker.terminate();
    await ended;
  };
  const what = options.name ?? url.pathname;
  const spawned = spawn(worker, { timeout: timeoutMs + 60_000 });
  spawned.catch(() => {});
  const ready = await settleOrEnd(spawned, ended, timeoutMs, what, 'start');
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
    const result = await settleOrEnd(answered, ended, null, what, method);
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

/**
 * A thread inherits all of Node's own options, also those of the whole process (`--max-old-space-size`). Where some are to
 * be left out the others are given, and then Node refuses those of the process and names them.
 */
function makeWorker(url: URL, options: WorkerOptions): EventTargetWorker {
  const kept = threadArguments(process.execArgv);
  if (kept.length === process.execArgv.length) return new EventTargetWorker(url, options);
  try {
    return new EventTargetWorker(url, { execArgv: kept, ...options });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error;
    const refused = message.slice(message.indexOf(': ') + 2).split(', ');
    const rest = kept.filter((argument, i) => {
      // a value of its own goes with its option
      const option = argument.startsWith('-') ? argument : (kept[i - 1] ?? '');
      return !refused.includes(option);
    });
    return new EventTargetWorker(url, { execArgv: rest, ...options });
  }
}

/** Node's own options for a thread: those that say what the main thread runs would end it at once. */
export function threadArguments(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const argument = execArgv[i]!;
    if (/^(-e|-p|-pe|--eval|--print)$/.test(argument)) i++;
    else if (!/^--(eval|print|input-type|check|test|watch)(=|$)/.test(argument)) kept.push(argument);
  }
  return kept;
}

async function settleOrEnd(
  call: Promise<unknown>,
  ended: Promise<ThreadEnd>,
  timeoutMs: number | null,
  what: string,
  doing: string,
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const racers: Promise<unknown>[] = [
    call,
    ended.then((end) => {
      const why = end.error === null ? `exit code ${end.exitCode}` : end.error.message;
      return new FrameDeadlineError('WORKER_DIED', `${what} ended during ${doing}: ${why}`, { cause: end.error });
    }),
  ];
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
  }
}
