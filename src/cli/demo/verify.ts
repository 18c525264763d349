import type { OfflineData, OfflineResult } from './threads/offline-renderer.js';
import { DemoThread } from './threads/thread.js';

/**
 * Renders offline on a thread of its own, so that Ctrl-C is heard meanwhile.
 * @returns null where `signal` was aborted on the way
 */
export async function renderOfflineThread(data: OfflineData, signal: AbortSignal): Promise<OfflineResult | null> {
  const thread = new DemoThread<OfflineResult>(
    new URL('./threads/offline-renderer.js', import.meta.url),
    'offline',
    data,
  );
  const cancel = (): void => void thread.end();
  // one that was aborted before says nothing about this
  let cancelled = false;
  const onAbort = (): void => {
    cancelled = true;
    cancel();
  };
  signal.addEventListener('abort', onAbort);
  try {
    return await thread.result;
  } catch (error) {
    if (cancelled) return null;
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await thread.end();
  }
}
