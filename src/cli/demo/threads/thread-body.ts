import { parentPort } from 'node:worker_threads';
import { FrameDeadlineError } from '../../../base/errors.js';
import type { ThreadMessage } from './thread.js';

/** Runs the body of a demo thread and posts how it went. The body says itself when it is ready. */
export function runThread(body: (ready: () => void) => unknown): void {
  const post = (message: ThreadMessage): void => parentPort?.postMessage(message);
  try {
    post({ kind: 'done', result: body(() => post({ kind: 'ready' })) });
  } catch (error) {
    post({
      kind: 'error',
      code: error instanceof FrameDeadlineError ? error.code : null,
      message: error instanceof Error ? error.message : String(error),
    });
  }
}
