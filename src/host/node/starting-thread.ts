import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { ThreadEnd, ThreadToStart } from '../platform.js';

/** `threads` wants the DOM's event names. What the thread says before anybody listens is kept for the first who does. */
class EventTargetWorker extends Worker {
  private early: unknown[] | null = [];
  private readonly wrapped = new Map<unknown, (message: unknown) => void>();
  private readonly keep = (message: unknown): void => {
    this.early?.push(message);
  };
  constructor(url: URL, options: WorkerOptions) {
    super(url, options);
    this.on('message', this.keep);
  }
  addEventListener(name: string, listener: (event: { data: unknown }) => void): void {
    const wrapper = (message: unknown): void => listener({ data: message });
    this.wrapped.set(listener, wrapper);
    this.on(name, wrapper);
    const { early } = this;
    if (name !== 'message' || early === null) return;
    this.early = null;
    this.off('message', this.keep);
    for (const message of early) wrapper(message);
  }
  removeEventListener(name: string, listener: unknown): void {
    const wrapper = this.wrapped.get(listener);
    if (wrapper === undefined) return;
    this.wrapped.delete(listener);
    this.off(name, wrapper);
  }
}

/** A thread from the moment of its start: whoever takes it over misses neither what it said nor its end. */
export interface StartingThread {
  readonly worker: Worker;
  readonly ended: Promise<ThreadEnd>;
}

/** Started ahead of time, by name, until somebody takes them. */
const ahead = new Map<string, StartingThread>();

/**
 * Starts threads that will soon be asked for: they load while this thread loads what it needs itself. Needs few modules
 * for that reason.
 */
export function startAhead(url: URL, threads: readonly ThreadToStart[]): void {
  for (const thread of threads) {
    const options = optionsOf(thread);
    ahead.set(keyOf(url, options), startThread(url, options));
  }
}

export function optionsOf({ name, resourceLimits }: ThreadToStart): WorkerOptions {
  return { name, ...(resourceLimits === null ? {} : { resourceLimits }) };
}

/** The thread of that name that was started ahead, or a new one. */
export function takeThread(url: URL, options: WorkerOptions): StartingThread {
  const key = keyOf(url, options);
  const thread = ahead.get(key);
  ahead.delete(key);
  return thread ?? startThread(url, options);
}

const keyOf = (url: URL, options: WorkerOptions): string => `${options.name} ${url.href}`;

function startThread(url: URL, options: WorkerOptions): StartingThread {
  const worker = makeWorker(url, options);
  worker.setMaxListeners(0);
  let failure: Error | null = null;
  worker.on('error', (error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error));
  });
  const ended = new Promise<ThreadEnd>((resolve) => {
    worker.once('exit', (exitCode) => resolve({ exitCode, error: failure }));
  });
  return { worker, ended };
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
function threadArguments(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < execArgv.length; i++) {
    const argument = execArgv[i]!;
    if (/^(-e|-p|-pe|--eval|--print)$/.test(argument)) i++;
    else if (!/^--(eval|print|input-type|check|test|watch)(=|$)/.test(argument)) kept.push(argument);
  }
  return kept;
}
