import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { serveTelemetry } from '../../../src/host/node/telemetry-server.js';
import { rawClient, scratchFolder } from './support.js';

const path = join(scratchFolder(), 's');

/** Lets sockets do their work, without timers: those stand still. */
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

afterEach(() => vi.useRealTimers());

describe('a client that does not take its answer', () => {
  it('is dropped after 10 s, with the answer, and its place is free again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let answers = 0;
    const served = await serveTelemetry(path, {
      greeting: { frameDeadline: 'telemetry' },
      open: () => ({
        answer: () => {
          answers++;
          return { large: 'x'.repeat(8 * 1024 * 1024) };
        },
      }),
    });
    const client = rawClient(path);
    client.socket.pause();
    client.socket.write('{"get":"large"}\n{"get":"large"}\n');
    while (answers === 0) await turns(1);
    await turns(200);
    vi.advanceTimersByTime(9_900);
    await turns(200);
    expect(client.isClosed()).toBe(false);
    vi.advanceTimersByTime(200);
    client.socket.resume();
    await client.closed;
    // the end of the answer never came
    expect(client.lines).toEqual(['{"frameDeadline":"telemetry"}']);
    expect(answers).toBe(1);
    await served.close();
  });

  it('one that is slow but reads gets all of it', async () => {
    const served = await serveTelemetry(path, {
      greeting: {},
      open: () => ({ answer: () => ({ large: 'x'.repeat(3 * 1024 * 1024) }) }),
    });
    const client = rawClient(path);
    client.socket.write('{"id":1}\n');
    for (let i = 0; i < 20; i++) {
      client.socket.pause();
      await turns(5);
      client.socket.resume();
      await turns(1);
    }
    expect(((await client.line(1)) as { large: string }).large).toHaveLength(3 * 1024 * 1024);
    client.socket.destroy();
    await served.close();
  });
});

describe('answering', () => {
  it('leaves the thread three times as long to itself as an answer took', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let nowMs = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const moments: number[] = [];
    const served = await serveTelemetry(path, {
      greeting: {},
      open: () => ({
        answer: () => {
          moments.push(nowMs);
          nowMs += 5;
          return {};
        },
      }),
    });
    const clients = [rawClient(path), rawClient(path)];
    for (const client of clients) client.socket.write('{"get":"x"}\n'.repeat(10));
    for (let i = 0; i < 600 && moments.length < 20; i++) {
      await turns(3);
      nowMs++;
      vi.advanceTimersByTime(1);
    }
    expect(moments).toHaveLength(20);
    for (let i = 1; i < moments.length; i++) expect(moments[i]! - moments[i - 1]!).toBeGreaterThanOrEqual(20);
    for (const client of clients) client.socket.destroy();
    clock.mockRestore();
    vi.useRealTimers();
    await served.close();
  });
});
