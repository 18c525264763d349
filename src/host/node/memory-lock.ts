import type { MemoryLock } from '../thread-control.js';
import { loadAddon } from './addon.js';

/**
 * Keeps the buffers from being paged out until they are freed, in this order, as far as the system's limit allows
 * (Linux: RLIMIT_MEMLOCK). Brings them in, so it blocks for as long as that takes. Never throws.
 */
export function lockMemory(buffers: readonly SharedArrayBuffer[]): MemoryLock {
  const requestedBytes = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
  const { addon, reason } = loadAddon();
  if (addon === null) return { requestedBytes, lockedBytes: 0, mechanism: null, reason };
  let lockedBytes = 0;
  let mechanism: string | null = null;
  let why: string | null = null;
  for (const buffer of buffers) {
    const answer = addon.lockMemory(new Uint8Array(buffer));
    if (answer.locked) {
      lockedBytes += buffer.byteLength;
      mechanism ??= answer.mechanism;
    } else why ??= answer.reason;
  }
  return { requestedBytes, lockedBytes, mechanism, reason: why };
}
