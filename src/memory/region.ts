import { FrameDeadlineError } from '../base/errors.js';

/**
 * Allocates zeroed memory, rounded up to 128 bytes. With `shared: false` (inline mode in a page that is not
 * cross-origin isolated) it is a plain ArrayBuffer, which serves one thread as well.
 */
export function allocateBuffer(bytes: number, shared: boolean): SharedArrayBuffer {
  const rounded = Math.ceil(bytes / 128) * 128;
  if (!shared && typeof SharedArrayBuffer === 'undefined') {
    return new ArrayBuffer(rounded) as unknown as SharedArrayBuffer;
  }
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new FrameDeadlineError(
      'SHARED_MEMORY_UNAVAILABLE',
      'SharedArrayBuffer is not available here: the page must be cross-origin isolated (headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp), or use mode: "inline"',
    );
  }
  return new SharedArrayBuffer(rounded);
}
