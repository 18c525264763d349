import { closeSync, openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { isLinux } from '../engine/support.js';
import { holdings, leaksAfter, SharedMemoryWatch } from './leaks.js';

const shared = new SharedMemoryWatch();
const PATIENCE_MS = 300;

/** What is found while something is held, and once it is let go. */
async function foundWhile(hold: () => Promise<() => unknown>): Promise<string> {
  const before = holdings(shared);
  const letGo = await hold();
  const found = await leaksAfter(before, shared, PATIENCE_MS);
  await letGo();
  expect(await leaksAfter(before, shared), 'afterwards').toEqual([]);
  return found.join('\n');
}

describe('what a round leaves behind', () => {
  it.runIf(isLinux)('a thread', async () => {
    const found = await foundWhile(async () => {
      const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
      await new Promise((resolve) => worker.once('online', resolve));
      return () => worker.terminate();
    });
    expect(found).toMatch(/threads are left/);
  });

  it.runIf(isLinux)('a file descriptor', async () => {
    const found = await foundWhile(async () => {
      const file = openSync('/dev/zero', 'r');
      return () => closeSync(file);
    });
    expect(found).toMatch(/1 file descriptors are left: \/dev\/zero/);
  });

  it('a timer', async () => {
    const found = await foundWhile(async () => {
      // the test runner has some that come and go
      const timers = Array.from({ length: 20 }, () => setInterval(() => {}, 1000));
      return () => timers.forEach((timer) => void clearInterval(timer));
    });
    expect(found).toMatch(/resources of the event loop are left: Timeout/);
  });

  it('a listener', async () => {
    const found = await foundWhile(async () => {
      const listener = (): void => {};
      process.on('SIGUSR2', listener);
      return () => process.off('SIGUSR2', listener);
    });
    expect(found).toMatch(/1 listeners on process are left: SIGUSR2/);
  });

  it('shared memory', async () => {
    const kept: SharedArrayBuffer[] = [];
    const found = await foundWhile(async () => {
      kept.push(new SharedArrayBuffer(12_345));
      return () => {
        kept.length = 0;
      };
    });
    expect(found).toMatch(/12345 bytes of shared memory are left/);
  });
});
