import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sleep } from './support.js';

// A process that is stopped (SIGSTOP) and continued: a real one, whatever the machine does beside it.

interface Told {
  calls: number[];
  records: { lane: string; periods: number }[];
  droppedTicks: number;
  frames: number;
  pauses: { count: number; totalMs: number } | null;
  tickPauses: { count: number; totalMs: number } | null;
  deaths: number[];
  ticks: { submitted: number; misses: number; expired: number };
  jobs: { submitted: number; misses: number };
}

const STOPS = 3;
const STOP_MS = 2500;

describe.skipIf(process.platform === 'win32')('a process that is stopped and continued', () => {
  it('one gap each: no burst of ticks, no worker is taken for hung, nothing is stuck', {
    timeout: 60_000,
  }, async () => {
    const child = fork(fileURLToPath(new URL('./children/standstill.js', import.meta.url)));
    try {
      await once(child, 'message');
      await sleep(700);
      for (let i = 0; i < STOPS; i++) {
        child.kill('SIGSTOP');
        await sleep(STOP_MS);
        child.kill('SIGCONT');
        await sleep(900);
      }
      child.send('end');
      const [told] = (await once(child, 'message')) as [Told];
      expect(told).not.toHaveProperty('failed');
      expect(told.deaths).toEqual([0, 0, 0]);
      // the loop: three gaps, and never more calls in 100 ms than are due
      const { calls } = told;
      const gaps = calls.slice(1).filter((atMs, i) => atMs - calls[i]! > STOP_MS - 500);
      expect(gaps.length).toBe(STOPS);
      for (const atMs of gaps) {
        const soon = calls.filter((other) => other >= atMs && other < atMs + 100).length;
        expect(soon).toBeLessThanOrEqual(7);
      }
      // told as pauses, unless the stop met this thread while it ran something
      expect(told.pauses?.count).toBeGreaterThanOrEqual(1);
      expect(told.pauses!.totalMs / told.pauses!.count).toBeGreaterThan(STOP_MS - 600);
      // the periods of the gaps were not due, but for one each that tells of it; a busy machine misses more
      expect(told.tickPauses?.count).toBe(STOPS);
      expect(told.tickPauses!.totalMs / STOPS).toBeGreaterThan(STOP_MS - 600);
      expect(told.ticks.expired).toBeGreaterThanOrEqual(STOPS);
      expect(told.ticks.expired).toBeLessThan((STOPS * STOP_MS) / 20);
      expect(told.records.filter(({ lane, periods }) => lane === 'ticks' && periods > STOP_MS / 20)).toEqual([]);
      // it ran on: periods and frames after the last gap
      expect(told.ticks.submitted).toBeGreaterThan((STOPS * 900 + 700) / 10 - 60);
      expect(calls.at(-1)! - gaps.at(-1)!).toBeGreaterThan(300);
    } finally {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
    }
  });
});
