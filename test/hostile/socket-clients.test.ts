import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_REQUEST_BYTES, TelemetryClientConnection } from '../../src/host/node/telemetry-connection.js';
import { MAX_CLIENTS, serveTelemetry } from '../../src/host/node/telemetry-server.js';
import { rawClient, scratchFolder, sleep, until } from '../telemetry/socket/support.js';

const folder = scratchFolder();
let paths = 0;
const freshPath = (): string => join(folder, `c${paths++}`);
const MEBIBYTE = 1024 * 1024;
const ANSWER_BYTES = 2 * MEBIBYTE;

interface Served {
  readonly connection: TelemetryClientConnection;
  readonly socket: Socket;
}

/** The connections of a server as it holds them, so that what is in memory for them can be counted. */
async function watched(answer: (request: object) => Record<string, unknown> = () => ({})): Promise<{
  path: string;
  served: Served[];
  heldBytes(): number;
  close(): Promise<void>;
}> {
  const path = freshPath();
  const served: Served[] = [];
  const pace = { waitMs: () => 0, took: () => {} };
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    const connection = new TelemetryClientConnection(socket, { answer }, pace);
    served.push({ connection, socket });
    connection.begin('{}\n');
  });
  await once(server.listen(path), 'listening');
  return {
    path,
    served,
    heldBytes: () => served.reduce((sum, { connection }) => sum + connection.heldBytes, 0),
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const { socket } of served) socket.destroy();
      await closed;
    },
  };
}

/** Sends as long as it is let, and tells how much left this side. */
function flood(path: string, chunk: Buffer, totalBytes: number): { socket: Socket; closed: Promise<void> } {
  const socket = connect(path);
  socket.on('error', () => {});
  socket.resume();
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  let sent = 0;
  const go = (): void => {
    while (!socket.destroyed && sent < totalBytes) {
      sent += chunk.length;
      if (!socket.write(chunk)) {
        socket.once('drain', go);
        return;
      }
    }
  };
  socket.on('connect', go);
  return { socket, closed };
}

afterEach(() => vi.useRealTimers());

describe('what a client can make the telemetry socket keep in memory', () => {
  it('100 MB without a line feed: no more than a request and what came with its end; it is told and cut off', async () => {
    const server = await watched();
    const client = flood(server.path, Buffer.alloc(64 * 1024, 'x'), 100 * MEBIBYTE);
    let most = 0;
    const timer = setInterval(() => {
      most = Math.max(most, server.heldBytes());
    }, 0);
    await client.closed;
    clearInterval(timer);
    await until('the server side is closed', () => server.served[0]!.socket.destroyed);
    // of 100 MB it read what the answer needed to get through, and no more
    expect(server.served[0]!.socket.bytesRead).toBeLessThan(MEBIBYTE);
    expect(Math.max(most, server.heldBytes())).toBeLessThan(256 * 1024);
    await server.close();
  });

  it('requests without end, never reading: one answer, and a few requests', async () => {
    let answers = 0;
    const server = await watched(() => {
      answers++;
      return { large: 'x'.repeat(ANSWER_BYTES) };
    });
    const clients = Array.from({ length: 4 }, () => {
      const client = flood(server.path, Buffer.from('{"get":"telemetry"}\n'.repeat(500)), 20 * MEBIBYTE);
      client.socket.pause();
      return client;
    });
    await until('an answer to each', () => answers === clients.length);
    // bytes that the server has read stop growing: it listens to none of them any more
    let read = -1;
    let still = 0;
    await until('it stops reading', () => {
      const now = server.served.reduce((sum, { socket }) => sum + socket.bytesRead, 0);
      still = now === read ? still + 1 : 0;
      read = now;
      return still > 20;
    });
    expect(answers).toBe(clients.length);
    for (const { connection, socket } of server.served) {
      expect(connection.heldBytes).toBeLessThan(ANSWER_BYTES + 256 * 1024);
      expect(socket.bytesRead).toBeLessThan(256 * 1024);
    }
    for (const { socket } of clients) socket.destroy();
    await server.close();
  });

  it('errors: an answer is bounded whatever was sent, and none repeats what is long', async () => {
    const server = await watched();
    const escaped = '\u0001'.repeat(MAX_REQUEST_BYTES - 2);
    for (const line of [escaped, `{"id":"${'i'.repeat(4000)}"}`, '['.repeat(4000), `{"a":${'['.repeat(4000)}}`]) {
      const client = rawClient(server.path);
      client.socket.write(`${line}\n`);
      expect(await client.line(1)).toMatchObject({ error: { code: 'OPTION_INVALID' } });
      expect(client.lines[1]!.length).toBeLessThan(1000);
      await client.closed;
    }
    await server.close();
  });

  it('after it was told the last: what it sends on is thrown away, up to a bound', async () => {
    let answers = 0;
    const server = await watched(() => {
      answers++;
      return {};
    });
    const client = flood(server.path, Buffer.from(`null\n${'{"get":"telemetry"}\n'.repeat(3000)}`), 50 * MEBIBYTE);
    await client.closed;
    await until('the server side is closed', () => server.served[0]!.socket.destroyed);
    expect(answers).toBe(0);
    expect(server.served[0]!.socket.bytesRead).toBeLessThan(MEBIBYTE);
    await server.close();
  });
});

describe('clients that go slow', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  const turns = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
  };

  it('half a line for ever: dropped 10 s after its first byte, also where a byte comes now and then', async () => {
    const server = await watched();
    for (const drips of [false, true]) {
      const socket = connect(server.path);
      let text = '';
      socket.setEncoding('utf8').on('data', (more: string) => {
        text += more;
      });
      let isClosed = false;
      socket
        .on('error', () => {})
        .on('close', () => {
          isClosed = true;
        });
      while (!text.includes('\n')) await turns(1);
      socket.write('{"get":');
      await turns(50);
      for (let second = 0; second < 9; second++) {
        if (drips) socket.write('"');
        await turns(20);
        vi.advanceTimersByTime(1000);
      }
      await turns(20);
      expect(isClosed).toBe(false);
      vi.advanceTimersByTime(1001);
      while (!isClosed) await turns(1);
      expect(text).toMatch(/was not ended by a line feed within 10000 ms/);
    }
    await server.close();
  });

  it('one that has asked and waits is kept, however long: top on pause', async () => {
    const server = await watched(() => ({ ok: true }));
    const socket = connect(server.path);
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    for (let round = 1; round <= 3; round++) {
      socket.write('{"id":1}\n');
      while (text.split('\n').length < round + 2) await turns(1);
      vi.advanceTimersByTime(60_000);
      await turns(20);
      expect(socket.destroyed).toBe(false);
    }
    socket.destroy();
    await server.close();
  });
});

describe('many clients', () => {
  it('a thousand connections: eight are served, each of the others is told or closed, none stays', async () => {
    const path = freshPath();
    let opened = 0;
    const served = await serveTelemetry(path, {
      greeting: { frameDeadline: 'telemetry' },
      open: () => {
        opened++;
        return { answer: () => ({ ok: true }) };
      },
    });
    const clients = Array.from({ length: 1000 }, () => rawClient(path));
    await until('the others are closed', () => clients.filter((client) => !client.isClosed()).length <= MAX_CLIENTS);
    const kept = clients.filter((client) => !client.isClosed());
    expect(kept).toHaveLength(MAX_CLIENTS);
    expect(opened).toBe(MAX_CLIENTS);
    for (const client of clients) {
      if (kept.includes(client) || client.lines.length === 0) continue;
      expect(JSON.parse(client.lines[0]!)).toMatchObject({ error: { code: 'TELEMETRY_UNREACHABLE' } });
    }
    expect(clients.filter((client) => client.lines.length > 0).length).toBeGreaterThan(MAX_CLIENTS);
    kept[0]!.socket.write('{"id":3}\n');
    expect(await kept[0]!.line(1)).toEqual({ id: 3, ok: true });
    for (const client of kept) client.socket.destroy();
    await until('a place is free', () => kept.every((client) => client.isClosed()));
    // its own side hears of it a moment later
    await sleep(50);
    const next = rawClient(path);
    next.socket.write('{"id":4}\n');
    expect(await next.line(1)).toEqual({ id: 4, ok: true });
    next.socket.destroy();
    await served.close();
  });

  it('requests after close: the connections are gone, and the path with them', async () => {
    const path = freshPath();
    const served = await serveTelemetry(path, { greeting: {}, open: () => ({ answer: () => ({}) }) });
    const clients = Array.from({ length: 4 }, () => rawClient(path));
    await Promise.all(clients.map((client) => client.line(0)));
    const closing = served.close();
    for (const client of clients) client.socket.write('{"get":"telemetry"}\n'.repeat(10));
    await closing;
    await Promise.all(clients.map((client) => client.closed));
    for (const client of clients) expect(client.lines).toHaveLength(1);
    const late = rawClient(path);
    await late.closed;
    expect(late.lines).toEqual([]);
  });
});
