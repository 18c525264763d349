import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { sleep, until } from '../../until.js';

/** A folder of its own, removed after the file's tests. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fd-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export { sleep, until };

/** A client that knows nothing of the protocol but lines. */
export interface RawClient {
  readonly socket: Socket;
  readonly lines: string[];
  readonly closed: Promise<void>;
  isClosed(): boolean;
  line(index: number): Promise<Record<string, unknown>>;
}

export function rawClient(path: string): RawClient {
  const socket = connect(path);
  const lines: string[] = [];
  let rest = '';
  let isClosed = false;
  socket.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    lines.push(...parts);
  });
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => {
      isClosed = true;
      resolve();
    });
  });
  return {
    socket,
    lines,
    closed,
    isClosed: () => isClosed,
    async line(index) {
      await until(`line ${index} from ${path}`, () => lines.length > index || isClosed);
      return JSON.parse(lines[index] ?? 'null') as Record<string, unknown>;
    },
  };
}
