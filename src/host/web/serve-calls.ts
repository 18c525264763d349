import { alignClock, ownNowUs } from './clock.js';
import type { FromThread, PlainThrown, ToThread } from './messages.js';

/** What a Web Worker's global object has and a page's has not. */
interface WorkerScope {
  postMessage(message: FromThread): void;
  close(): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<ToThread>) => void): void;
  addEventListener(type: 'error', listener: (event: ErrorEvent) => void): void;
  addEventListener(type: 'unhandledrejection', listener: (event: PromiseRejectionEvent) => void): void;
}
const scope = globalThis as unknown as WorkerScope;
const close = scope.close.bind(scope);

/** Ends this thread after what runs now. */
export function endThread(): void {
  close();
}

/**
 * Answers the calls of the thread that started this one. `open` is given what its owner wants it to know, once, before
 * the first call. What is thrown outside a call ends the thread, as on Node: half a thread would only be noticed later.
 */
export function serveCalls(open: (setup: unknown) => object): void {
  let api: Record<string, (...args: unknown[]) => unknown> = {};
  const die = (error: unknown): void => {
    scope.postMessage({ kind: 'dying', thrown: plainThrown(error) });
    close();
  };
  // a worker that waits for jobs never returns to the event loop, where it would be closed: its owner has to end it
  scope.close = () => die(new Error('the thread closed itself'));
  scope.addEventListener('error', (event) => {
    event.preventDefault();
    die(event.error ?? new Error(event.message));
  });
  scope.addEventListener('unhandledrejection', (event) => {
    event.preventDefault();
    die(event.reason);
  });
  const answer = async (id: number, method: string, args: readonly unknown[]): Promise<void> => {
    try {
      const result = await api[method]!(...args);
      scope.postMessage({ kind: 'answer', id, result, thrown: null });
    } catch (error) {
      scope.postMessage({ kind: 'answer', id, result: null, thrown: plainThrown(error) });
    }
  };
  scope.addEventListener('message', ({ data }) => {
    switch (data.kind) {
      case 'hello':
        api = open(data.setup) as typeof api;
        // held until this thread is gone, however it goes: that is how its owner learns of it
        void navigator.locks.request(data.lock, () => {
          scope.postMessage({ kind: 'ready' });
          return new Promise(() => {});
        });
        break;
      case 'clock':
        scope.postMessage({ kind: 'clock', ownUs: ownNowUs() });
        break;
      case 'align':
        alignClock(data.skewUs);
        break;
      case 'call':
        void answer(data.id, data.method, data.args);
        break;
    }
  });
}

function plainThrown(error: unknown): PlainThrown {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: null, code: null };
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: error.message,
    stack: error.stack ?? null,
    code: typeof code === 'string' ? code : null,
  };
}
