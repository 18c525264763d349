import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** FRAME_DEADLINE_CYCLES=1000 for a thousand starts and stops. */
const CYCLES = Number(process.env['FRAME_DEADLINE_CYCLES'] ?? 40);
const TIMEOUT_MS = 120_000 + CYCLES * 2000;
const CHILD = fileURLToPath(new URL('./children/start-and-stop.js', import.meta.url));

interface Held {
  heapKb: number;
  residentKb: number;
  externalKb: number;
  threads: number;
  descriptors: number;
  resources: number;
  listeners: number;
}

it(`${CYCLES} starts and stops leave nothing in the process`, { timeout: TIMEOUT_MS }, async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--expose-gc', CHILD, String(CYCLES)], {
    timeout: TIMEOUT_MS,
  });
  const { cycles, steps } = JSON.parse(stdout) as { cycles: number; steps: Held[] };
  console.info(`${cycles} starts and stops`, steps);
  const [before, after] = [steps[0]!, steps.at(-1)!];
  expect(stderr).toBe('');
  expect(after.listeners).toBe(before.listeners);
  expect(after.threads).toBeLessThanOrEqual(before.threads);
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors);
  expect(after.resources).toBeLessThanOrEqual(before.resources);
  // a scheduler that was kept would be 100 kB of objects and more than a megabyte of shared memory
  expect(after.heapKb - before.heapKb).toBeLessThan(200 + cycles * 4);
  expect(after.externalKb - before.externalKb).toBeLessThan(1000 + cycles * 4);
  expect(after.residentKb - before.residentKb).toBeLessThan(60_000 + cycles * 50);
});
