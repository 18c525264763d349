import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineSplitter, TOO_LONG } from '../../../src/host/node/line-splitter.js';
import { MAX_CLIENTS, serveTelemetry } from '../../../src/host/node/telemetry-server.js';
import type { ServedSocket } from '../../../src/host/telemetry-socket.js';
import { type ConnectTelemetryOptions, connectTelemetry } from '../../../src/report/telemetry-client.js';
import { makeTelemetry } from '../../report/fixture.js';
import { rawClient, scratchFolder, sleep, until } from './support.js';

const path = join(scratchFolder(), 's');
const LARGE = 'x'.repeat(4 * 1024 * 1024);
let served: ServedSocket;
let largeAnswers = 0;
let sessions = 0;

beforeAll(async () => {
  served = await serveTelemetry(path, {
    greeting: { frameDeadline: 'telemetry', protocol: 1, pid: 7, name: 'app' },
    open: () => {
      const session = ++sessions;
      return {
        answer: ({ get }) => {
          if (get === 'throw') throw new Error('a fault of ours');
          if (get === 'telemetry') return { telemetry: makeTelemetry(1), streams: [] };
          if (get === 'broken') return { telemetry: { schemaVersion: 1 } };
          if (get !== 'large') return { session, get };
          largeAnswers++;
          return { large: LARGE };
        },
      };
    },
  });
});
afterAll(() => served.close());

async function expectServing(): Promise<void> {
  const client = rawClient(path);
  client.socket.write('{"id":5,"get":"small"}\n');
  expect(await client.line(1)).toMatchObject({ id: 5, get: 'small' });
  client.socket.destroy();
  await client.closed;
}

describe('clients of the telemetry socket', () => {
  it('are greeted, and answered in order with their ids, also when requests come in pieces or together', async () => {
    const client = rawClient(path);
    expect(await client.line(0)).toEqual({ frameDeadline: 'telemetry', protocol: 1, pid: 7, name: 'app' });
    client.socket.write('{"id":"a","get":"one"}\n{"get":"two"}\n{"id":3,"g');
    await client.line(2);
    client.socket.write('et":"three"}\n');
    await client.line(3);
    expect(client.lines.slice(1).map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { id: 'a', get: 'one' },
      { id: null, get: 'two' },
      { id: 3, get: 'three' },
    ]);
    client.socket.destroy();
  });

  it('that send garbage get an error and are closed; others go on', async () => {
    const garbage = ['GET / HTTP/1.1\r\n\r\n', 'null\n', '[1]\n', '{"id":{}}\n', `{"id":"${'i'.repeat(65)}"}\n`, '\n'];
    for (const text of [...garbage, 'x'.repeat(5000), `{"get":"${'x'.repeat(5000)}"}\n`]) {
      const client = rawClient(path);
      client.socket.write(text);
      expect(await client.line(1), text.slice(0, 40)).toMatchObject({ error: { code: 'OPTION_INVALID' } });
      await client.closed;
      expect(client.lines).toHaveLength(2);
    }
    await expectServing();
  });

  it('a request that fails within is answered with its id, and the connection ends', async () => {
    const client = rawClient(path);
    client.socket.write('{"id":9,"get":"throw"}\n');
    expect(await client.line(1)).toMatchObject({ id: 9, error: { message: 'a fault of ours' } });
    await client.closed;
  });

  it('that send any bytes whatever disturb nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), async (chunks) => {
        const client = rawClient(path);
        for (const chunk of chunks) client.socket.write(chunk);
        client.socket.end();
        await client.closed;
      }),
      { numRuns: 100 },
    );
    await expectServing();
  });

  it('that vanish at any moment disturb nothing and leave their place to others', async () => {
    for (let round = 0; round < 40; round++) {
      const client = rawClient(path);
      client.socket.write('{"get":"large"}\n'.repeat(3));
      await sleep(round % 4);
      if (round % 2 === 0) client.socket.destroy();
      else client.socket.end();
      await client.closed;
    }
    await expectServing();
  });

  it(`more than ${MAX_CLIENTS} are told so and closed`, async () => {
    await sleep(100);
    const clients = Array.from({ length: MAX_CLIENTS }, () => rawClient(path));
    await Promise.all(clients.map((client) => client.line(0)));
    await expect(connectTelemetry(path)).rejects.toMatchObject({ code: 'TELEMETRY_UNREACHABLE' });
    await expect(connectTelemetry(path)).rejects.toThrow(/8 clients already/);
    expect(clients.some((client) => client.isClosed())).toBe(false);
    clients[0]!.socket.destroy();
    await clients[0]!.closed;
    await sleep(50);
    await expectServing();
    for (const client of clients) client.socket.destroy();
  });

  it('one that never reads holds one answer in memory at most, and holds nobody up', async () => {
    const before = largeAnswers;
    const client = rawClient(path);
    await client.line(0);
    client.socket.pause();
    client.socket.write('{"get":"large"}\n'.repeat(200));
    await until('the first answer', () => largeAnswers > before);
    for (let i = 0; i < 5; i++) {
      await expectServing();
      await sleep(20);
    }
    // the system's buffers hold far less than one answer
    expect(largeAnswers - before).toBe(1);
    client.socket.resume();
    await client.line(2);
    client.socket.destroy();
  });

  it('end when the socket is closed', async () => {
    const other = `${path}2`;
    const second = await serveTelemetry(other, {
      greeting: { frameDeadline: 'telemetry', protocol: 1, pid: 7, name: 'app' },
      open: () => ({ answer: () => ({}) }),
    });
    const raw = rawClient(other);
    const client = await connectTelemetry(other);
    await raw.line(0);
    await second.close();
    await raw.closed;
    expect(await client.ended).toMatchObject({ code: 'TELEMETRY_ENDED' });
    await expect(client.window()).rejects.toMatchObject({ code: 'TELEMETRY_ENDED' });
  });
});

describe('connectTelemetry', () => {
  it('gives what was sent, checked', async () => {
    const client = await connectTelemetry(path);
    expect(client.process).toEqual({ pid: 7, name: 'app' });
    expect((await client.telemetry()).telemetry).toEqual(JSON.parse(JSON.stringify(makeTelemetry(1))));
    await expect(client.trace()).rejects.toMatchObject({ code: 'TELEMETRY_UNREACHABLE' });
    client.close();
    expect(await client.ended).toBeNull();
  });

  it('tells an ordinary file from a socket whose app has ended', async () => {
    const file = join(scratchFolder(), 'README.md');
    writeFileSync(file, 'text');
    await expect(connectTelemetry(file)).rejects.toMatchObject({
      code: 'TELEMETRY_UNREACHABLE',
      message: expect.stringContaining('README.md: that is no socket; expected the path'),
    });
  });

  it('says what is wrong with the other side', async () => {
    const { createServer } = await import('node:net');
    const say = async (text: string | null): Promise<string> => {
      const at = `${path}-other`;
      const server = createServer((socket) => {
        socket.on('error', () => {});
        if (text === null) socket.destroy();
        else socket.write(text);
      }).listen(at);
      await once(server, 'listening');
      const error = (await connectTelemetry(at, { timeoutMs: 300 }).catch((e: unknown) => e)) as Error;
      server.close();
      await once(server, 'close');
      expect(error).toMatchObject({ code: 'TELEMETRY_UNREACHABLE' });
      return error.message;
    };
    expect(await say('HTTP/1.1 400 Bad Request\r\n')).toMatch(/something else than telemetry/);
    expect(await say('{"frameDeadline":"telemetry","protocol":2}\n')).toMatch(
      /version 2 of the protocol, this is version 1/,
    );
    expect(await say('{}\n')).toMatch(/something else than telemetry/);
    expect(await say('')).toMatch(/silent for 300 ms/);
    expect(await say(null)).toMatch(/closed before an answer came|ECONNRESET/);
    await expect(connectTelemetry(`${path}-none`)).rejects.toThrow(/there is nothing at that path/);
  });

  it.each<[string, unknown, object]>([
    ['path', '', {}],
    ['path', undefined, {}],
    ['path', 'a\0b', {}],
    ['timeoutMs', path, { timeoutMs: 0 }],
    ['timeoutMs', path, { timeoutMs: Number.NaN }],
    // a timer would take it for 1 ms
    ['timeoutMs', path, { timeoutMs: Number.POSITIVE_INFINITY }],
    ['unknown option "timeout"', path, { timeout: 100 }],
  ])('a wrong %s is refused: %j, %j', async (what, at, options) => {
    await expect(connectTelemetry(at as string, options as ConnectTelemetryOptions)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining(what),
    });
  });
});

describe('LineSplitter', () => {
  it('gives the lines of a text however it is cut, and refuses long ones', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replaceAll('\n', ''))),
        fc.array(fc.nat(30)),
        (lines, cuts) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          const splitter = new LineSplitter(80);
          const found: string[] = [];
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            splitter.add(bytes.subarray(at, at + cut));
            at += cut;
            for (let line = splitter.next(); line !== null; line = splitter.next()) {
              expect(line).not.toBe(TOO_LONG);
              found.push(line as string);
            }
          }
          expect(found).toEqual(lines.map((line) => Buffer.from(line).toString()));
        },
      ),
    );
    const splitter = new LineSplitter(4);
    splitter.add(Buffer.from('abcd\nabcde\n'));
    expect([splitter.next(), splitter.next()]).toEqual(['abcd', TOO_LONG]);
    splitter.add(Buffer.from('abcde'));
    expect(splitter.next()).toBe(TOO_LONG);
  });
});
