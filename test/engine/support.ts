import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JobCounts, Snapshot } from 'frame-deadline';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expect } from 'vitest';
import { sleep, until } from '../until.js';

export type WorkTasks = typeof import('./tasks/work.tasks.js');

/** A task module beside this file, as workers import it. */
export const taskUrl = (name: string): URL => new URL(`./tasks/${name}`, import.meta.url);
export const WORK_URL = taskUrl('work.tasks.js');
export const loadWork = (): Promise<WorkTasks> => import('./tasks/work.tasks.js');

export { sleep, until };

/** Contract C1 for one set of counts. */
function expectExact(counts: JobCounts, what: string): void {
  const ended = Object.values(counts.outcomes).reduce((sum, n) => sum + n, 0);
  const refused = Object.values(counts.refusals).reduce((sum, n) => sum + n, 0);
  const causes = Object.values(counts.missCauses).reduce((sum, n) => sum + n, 0);
  expect(counts.submitted, `${what}: submitted = accepted + refused`).toBe(counts.accepted + counts.refused);
  expect(counts.refused, `${what}: refused = sum of refusals`).toBe(refused);
  expect(counts.accepted, `${what}: accepted = outcomes + inFlight`).toBe(ended + counts.inFlight);
  expect(counts.misses, `${what}: misses = sum of causes`).toBe(causes);
  expect(counts.misses, `${what}: late and expired jobs are misses`).toBeGreaterThanOrEqual(
    counts.outcomes.late + counts.outcomes.expired,
  );
  for (const value of [counts.submitted, counts.accepted, counts.inFlight, ...Object.values(counts.outcomes)]) {
    expect(value, what).toBeGreaterThanOrEqual(0);
  }
}

interface Readable {
  snapshot(): Snapshot;
}

/** Waits until nothing is in flight, and checks contract C1 for every lane and task. */
export async function quiet(scheduler: Readable): Promise<Snapshot> {
  await until('no job in flight', () => Object.values(scheduler.snapshot().lanes).every((lane) => lane.inFlight === 0));
  return exact(scheduler);
}

/** Checks contract C1 as it stands. */
export function exact(scheduler: Readable): Snapshot {
  const snapshot = scheduler.snapshot();
  for (const [laneName, lane] of Object.entries(snapshot.lanes)) {
    expectExact(lane, laneName);
    const tasks = Object.entries(lane.tasks);
    for (const [name, counts] of tasks) expectExact(counts, `${laneName}.${name}`);
    for (const key of ['submitted', 'accepted', 'refused', 'misses'] as const) {
      const total = tasks.reduce((sum, [, counts]) => sum + counts[key], 0);
      expect(lane[key], `${laneName}: ${key} is the sum over its tasks`).toBe(total);
    }
  }
  return snapshot;
}

export const isLinux = process.platform === 'linux';

/** Threads of this process, or 0 where `/proc` does not tell. */
export function threadCount(): number {
  return isLinux ? readdirSync('/proc/self/task').length : 0;
}
export function threadNames(): string[] {
  return readdirSync('/proc/self/task').flatMap((id) => {
    try {
      return [readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim()];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

export async function threadsBackTo(count: number): Promise<void> {
  await until(`threads back to ${count}`, () => threadCount() <= count);
}

const tracked: { close(options: { drainMs: number }): Promise<void> }[] = [];

/** Closes it after the test, should the test fail before it does. */
export function track<S extends { close(options: { drainMs: number }): Promise<void> }>(scheduler: S): S {
  tracked.push(scheduler);
  return scheduler;
}

/** For `afterEach`: no thread may be left then. */
export async function noThreadIsLeft(threadsBefore: number): Promise<void> {
  await Promise.all(tracked.splice(0).map((scheduler) => scheduler.close({ drainMs: 0 })));
  await threadsBackTo(threadsBefore);
}

/** Words that handlers of `gate` and the host share: who has arrived, and whether the gate is open. */
export class Gate {
  readonly words = new Int32Array(new SharedArrayBuffer(8));
  async arrived(count: number): Promise<void> {
    await until(`${count} handlers at the gate`, () => Atomics.load(this.words, 0) >= count);
  }
  open(): void {
    Atomics.store(this.words, 1, 1);
    Atomics.notify(this.words, 1);
  }
  shut(): void {
    Atomics.store(this.words, 0, 0);
    Atomics.store(this.words, 1, 0);
  }
}

/** Seed of this run: FRAME_DEADLINE_SEED, or a fresh one. Printed, so that a failure can be run again. */
export function seedOfRun(): number {
  const given = process.env['FRAME_DEADLINE_SEED'];
  const seed = given === undefined ? Date.now() % 2 ** 31 : Number(given);
  console.log(`FRAME_DEADLINE_SEED=${seed}`);
  return seed;
}

/** Integers below a bound, from a seed. */
export function randomFrom(seed: number): (below: number) => number {
  const generator = xoroshiro128plus(seed);
  return (below) => (generator.next() >>> 0) % below;
}

/** The code of what a promise rejects with or a function throws. */
export async function codeOf(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== undefined) expect(message, 'the message ends with its code').toContain(`[${code}]`);
    return code ?? `no code: ${String(error)}`;
  }
  return 'nothing was thrown';
}

export interface ChildResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of children/ on Node as it is, without the test runner. */
export function startChild(name: string, args: readonly string[] = [], options: SpawnOptions = {}): ChildProcess {
  const file = fileURLToPath(new URL(`./children/${name}`, import.meta.url));
  return spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

/** Runs a program on this Node with options of Node's own. */
export function runNode(options: readonly string[], file: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...options, file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Waits for its end; a child that does not end within the time is killed, and `signal` tells. */
export async function childEnd(child: ChildProcess, patienceMs = 15_000): Promise<ChildResult> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  return { code, signal, stdout, stderr };
}

export const runChild = (
  name: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): Promise<ChildResult> => childEnd(startChild(name, args, options));
