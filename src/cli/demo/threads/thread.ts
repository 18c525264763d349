import { Worker } from 'node:worker_threads';
import { FrameDeadlineError } from '../../../base/errors.js';

/** What a thread of the demo posts: once `ready`, then once `done` or `error`. */
export type ThreadMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'error'; readonly code: string | null; readonly message: string };

/** A thread outside the scheduler: the sink, the recorder, the offline renderer. */
export class DemoThread<Result> {
  /** Resolves when it can work; rejects when it cannot. */
  readonly ready: Promise<void>;
  /** Resolves with what it found when it has ended; rejects when it failed or was ended before. */
  readonly result: Promise<Result>;
  private readonly worker: Worker;
  private readonly exited: Promise<void>;

  constructor(module: URL, name: string, data: unknown) {
    const worker = new Worker(module, { name, workerData: data });
    this.worker = worker;
    let isReady: () => void = () => {};
    let fail: (error: Error) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.ready = Promise.race([
      new Promise<void>((resolve) => {
        isReady = resolve;
      }),
      failed,
    ]);
    this.result = new Promise<Result>((resolve, reject) => {
      worker.on('message', (message: ThreadMessage) => {
        if (message.kind === 'ready') isReady();
        else if (message.kind === 'done') {
          isReady();
          resolve(message.result as Result);
        } else {
          fail(errorOf(message));
        }
      });
      failed.catch(reject);
    });
    this.exited = new Promise((resolve) => {
      worker.on('exit', () => {
        fail(new FrameDeadlineError('WORKER_DIED', `thread ${name} of the demo ended before it was done`));
        resolve();
      });
    });
    worker.on('error', fail);
    // whoever waits is told; nobody may wait
    this.ready.catch(() => {});
    this.result.catch(() => {});
  }

  /** Ends it, at once if it still works, and resolves when it is gone. */
  async end(): Promise<void> {
    await this.worker.terminate();
    await this.exited;
  }
}

function errorOf(message: { code: string | null; message: string }): Error {
  if (message.code === null) return new Error(message.message);
  // the message ends with its code, which the error adds again
  const text = message.message.replace(/ \[[A-Z_]+\]$/, '');
  return new FrameDeadlineError(message.code as FrameDeadlineError['code'], text);
}
