import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createScheduler, type Scheduler, StreamRing } from 'frame-deadline';
import { afterEach, describe, expect, it } from 'vitest';
import { connectTelemetry } from '../../../src/report/telemetry-client.js';
import { chromeTrace } from '../../../src/report/trace.js';
import { loadWork, quiet, WORK_URL, type WorkTasks } from '../../engine/support.js';
import { rawClient, scratchFolder, sleep, until } from './support.js';

const folder = scratchFolder();
let paths = 0;
const freshPath = (): string => join(folder, `e${paths++}`);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const children: ChildProcess[] = [];
const schedulers: { close(): Promise<void> }[] = [];

type Lanes = { work: WorkTasks };
async function scheduler(mode: 'threads' | 'inline' = 'threads'): Promise<Scheduler<Lanes>> {
  const made = await createScheduler<Lanes>({
    mode,
    lanes: { work: { tasks: WORK_URL, load: loadWork, capacitySlots: 64 } },
    // its memory would come in the middle
    spares: 0,
    ...(mode === 'threads' ? { workers: [{ lanes: ['work'] as const }] } : {}),
  });
  schedulers.push(made);
  return made;
}

function start(script: string, ...args: string[]): { child: ChildProcess; lines: string[] } {
  const child = spawn(process.execPath, [here(script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines: string[] = [];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => lines.push(...text.split('\n').filter(Boolean)));
  return { child, lines };
}

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(schedulers.splice(0).map((made) => made.close()));
});

async function submit(made: Scheduler<Lanes>, jobs: number): Promise<void> {
  for (let i = 0; i < jobs; i++) {
    const job = made.submit(made.lanes.work.nothing, {});
    expect(job.refused).toBe(false);
    job.release();
  }
  await quiet(made);
}

const acceptedIn = (telemetry: { lanes: readonly { tasks: readonly { accepted: number }[] }[] }): number =>
  telemetry.lanes[0]!.tasks.reduce((sum, task) => sum + task.accepted, 0);

describe('serveTelemetry', () => {
  it('answers with what scheduler.telemetry() tells, and with misses, trace and xruns', async () => {
    const made = await scheduler();
    const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 64 });
    const served = await made.serveTelemetry({ path: freshPath(), name: 'tested', streams: { sound: ring } });
    await submit(made, 20);
    const client = await connectTelemetry(served.path);
    expect(client.process).toEqual({ pid: process.pid, name: 'tested' });
    const { telemetry, streams } = await client.telemetry();
    const own = made.telemetry();
    expect(telemetry.lanes).toEqual(own.lanes);
    expect(telemetry.misses).toEqual(own.misses);
    expect(telemetry.environment).toEqual(own.environment);
    expect(telemetry.workers[0]).toMatchObject({
      name: own.workers[0]!.name,
      priority: own.workers[0]!.priority,
      lanes: ['work'],
    });
    expect(streams).toEqual([{ name: 'sound', kind: 'f32', ...ring.counts() }]);
    expect((await client.telemetry({ records: false })).telemetry.misses).toEqual([]);
    expect(await client.misses()).toEqual(own.misses);
    const trace = await client.trace();
    expect(trace.threads.reduce((sum, thread) => sum + thread.jobs.length, 0)).toBe(20);
    expect(() => JSON.parse(chromeTrace(trace)) as unknown).not.toThrow();
    client.close();
  });

  it('gives each client a window of its own', async () => {
    const made = await scheduler();
    const { path } = await made.serveTelemetry({ path: freshPath() });
    const [a, b] = [await connectTelemetry(path), await connectTelemetry(path)];
    const counts = async (client: typeof a): Promise<number> => acceptedIn((await client.window()).telemetry);
    await submit(made, 3);
    expect([await counts(a), await counts(b)]).toEqual([0, 0]);
    await submit(made, 5);
    expect(await counts(a)).toBe(5);
    await submit(made, 2);
    expect([await counts(a), await counts(b), await counts(a), await counts(b)]).toEqual([2, 7, 0, 0]);
    expect(acceptedIn((await a.telemetry()).telemetry)).toBe(10);
    a.close();
    b.close();
  });

  it('answers while the main thread is blocked for 2 s', async () => {
    const made = await scheduler();
    const { path } = await made.serveTelemetry({ path: freshPath() });
    const { lines } = start('client.js', path, 'window');
    await until('the first answer', () => lines.length > 1);
    const from = Date.now();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
    const to = Date.now();
    await until('an answer afterwards', () => Number(lines.at(-1)) > to);
    const moments = lines.slice(1).map(Number);
    const during = moments.filter((moment) => moment > from && moment < to);
    // in all of the time, not only at its ends
    expect(during.filter((moment) => moment < (from + to) / 2).length).toBeGreaterThan(3);
    expect(during.filter((moment) => moment > (from + to) / 2).length).toBeGreaterThan(3);
  });

  it('goes on when a client is killed in the middle of an answer', async () => {
    const made = await scheduler();
    const { path } = await made.serveTelemetry({ path: freshPath() });
    for (let round = 0; round < 4; round++) {
      const { child, lines } = start('client.js', path, round % 2 === 0 ? 'telemetry' : 'trace');
      await until('an answer', () => lines.length > 1);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await submit(made, 4);
    const client = await connectTelemetry(path);
    expect(acceptedIn((await client.telemetry()).telemetry)).toBe(4);
    client.close();
  });

  it('greedy clients that never read leave the jobs and the other clients alone, and memory bounded', async () => {
    const made = await scheduler();
    const { path } = await made.serveTelemetry({ path: freshPath() });
    const greedy = Array.from({ length: 6 }, () => {
      const socket = connect(path);
      socket.pause();
      socket.on('error', () => {});
      socket.write('{"get":"telemetry"}\n{"get":"trace"}\n{"get":"window"}\n'.repeat(3000));
      return socket;
    });
    await sleep(300);
    const before = process.memoryUsage().rss;
    const client = await connectTelemetry(path);
    for (let i = 0; i < 20; i++) {
      await submit(made, 5);
      expect(acceptedIn((await client.telemetry()).telemetry)).toBe(5 * (i + 1));
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    for (const socket of greedy) socket.destroy();
    client.close();
  });

  it('serves several sockets; close ends one, the scheduler’s close the rest', async () => {
    const made = await scheduler();
    const first = await made.serveTelemetry({ path: freshPath() });
    const second = await made.serveTelemetry({ path: freshPath() });
    await expect(made.serveTelemetry({ path: second.path })).rejects.toMatchObject({ code: 'TELEMETRY_PATH_IN_USE' });
    const closing = first.close();
    expect(first.close()).toBe(closing);
    await closing;
    expect(existsSync(first.path)).toBe(false);
    const client = await connectTelemetry(second.path);
    await made.close();
    expect(existsSync(second.path)).toBe(false);
    expect(await client.ended).toMatchObject({ code: 'TELEMETRY_ENDED' });
    await second.close();
    await expect(made.serveTelemetry({ path: freshPath() })).rejects.toMatchObject({ code: 'SCHEDULER_CLOSED' });
  });

  it('serves in inline mode from the calling thread', async () => {
    const made = await scheduler('inline');
    const served = await made.serveTelemetry({ path: freshPath() });
    const client = await connectTelemetry(served.path);
    made.submit(made.lanes.work.nothing, {});
    await quiet(made);
    expect(acceptedIn((await client.telemetry()).telemetry)).toBe(1);
    await made.close();
    expect(existsSync(served.path)).toBe(false);
  });

  it.each(['exit', 'close', 'drop'])('leaves no socket and keeps no process alive: %s', async (ends) => {
    const path = freshPath();
    const { child, lines } = start(ends === 'drop' ? 'app-quiet.js' : 'app.js', path, ends);
    const [status] = (await once(child, 'exit')) as [number];
    expect(status).toBe(0);
    expect(lines).toContain('serving');
    expect(existsSync(path)).toBe(false);
  });

  it('takes the place of an app that was killed', async () => {
    const path = freshPath();
    const { child, lines } = start('app.js', path);
    await until('serving', () => lines.includes('serving'));
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(path)).toBe(true);
    const made = await scheduler();
    const served = await made.serveTelemetry({ path });
    expect(await rawClient(path).line(0)).toMatchObject({ pid: process.pid });
    await served.close();
  });

  it('says what is wrong with its options', async () => {
    const made = await scheduler();
    const wrong: unknown[] = [
      undefined,
      {},
      { path: '' },
      { path: 3 },
      { path: '\0abstract' },
      { path: freshPath(), paht: 1 },
      { path: freshPath(), name: 1 },
      { path: freshPath(), streams: { x: {} } },
      { path: freshPath(), streams: 3 },
      { path: join(folder, 'x'.repeat(150)) },
    ];
    for (const options of wrong) {
      const serving = made.serveTelemetry(options as { path: string });
      await expect(serving, JSON.stringify(options)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    }
  });
});
