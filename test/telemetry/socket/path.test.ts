import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeSocket } from '../../../src/host/node/socket-path.js';
import { serveTelemetry } from '../../../src/host/node/telemetry-server.js';
import type { TelemetryService } from '../../../src/host/telemetry-socket.js';
import { rawClient, scratchFolder } from './support.js';

const folder = scratchFolder();
let paths = 0;
const freshPath = (): string => join(folder, `s${paths++}`);
const service = (name = 'test'): TelemetryService => ({
  greeting: { frameDeadline: 'telemetry', protocol: 1, pid: 1, name },
  open: () => ({ answer: () => ({ ok: name }) }),
});
const isRoot = process.geteuid?.() === 0;

/** A socket whose process was killed: it is still there, and nobody listens. */
async function deadSocket(path: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(lstatSync(path).isSocket()).toBe(true);
}

const codeOf = (path: string): Promise<unknown> =>
  serveTelemetry(path, service()).then(
    async (served) => {
      await served.close();
      return 'served';
    },
    (error: { code: string; message: string }) => error.code,
  );

describe.skipIf(process.platform === 'win32')('path of the telemetry socket', () => {
  it('is a socket that only its user may use, and nothing else is left in the folder', async () => {
    const path = freshPath();
    const served = await serveTelemetry(path, service());
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual([path.slice(folder.length + 1)]);
    expect(await rawClient(path).line(0)).toMatchObject({ protocol: 1, name: 'test' });
    await served.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  const noOtherUser = !isRoot || spawnSync('setpriv', ['--version']).status !== 0;
  if (noOtherUser) console.warn('SKIPPED: that another user cannot connect; needs root and setpriv');
  it.skipIf(noOtherUser)('another user cannot connect, though to a socket without protection beside it', async () => {
    chmodSync(folder, 0o755);
    const path = freshPath();
    const open = freshPath();
    const served = await serveTelemetry(path, service());
    const server = createServer((socket) => socket.on('error', () => {}).end('hello')).listen(open);
    await once(server, 'listening');
    chmodSync(open, 0o777);
    const script =
      "const s = require('node:net').connect(process.argv[1]); s.on('connect', () => { console.log('in'); s.destroy(); }); s.on('error', (e) => console.log(e.code));";
    const connectAs = async (uid: string, to: string): Promise<string> => {
      const args = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', process.execPath, '-e', script, to];
      const child = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: '/' });
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += chunk;
      });
      await once(child, 'close');
      return text.trim();
    };
    expect(await connectAs('65534', open)).toBe('in');
    expect(await connectAs('65534', path)).toBe('EACCES');
    expect(await connectAs('0', path)).toBe('in');
    server.close();
    await served.close();
  });

  it('one that is served already is an error, and goes on being served', async () => {
    const path = freshPath();
    const served = await serveTelemetry(path, service('first'));
    await expect(serveTelemetry(path, service('second'))).rejects.toThrow(/served already, by a running process/);
    expect(await codeOf(path)).toBe('TELEMETRY_PATH_IN_USE');
    expect(await rawClient(path).line(0)).toMatchObject({ name: 'first' });
    await served.close();
  });

  it('a dead socket of ours is replaced', async () => {
    const path = freshPath();
    await deadSocket(path);
    const served = await serveTelemetry(path, service('heir'));
    expect(await rawClient(path).line(0)).toMatchObject({ name: 'heir' });
    await served.close();
    expect(existsSync(path)).toBe(false);
  });

  it('of several that want to replace a dead socket one does, and it answers', async () => {
    const path = freshPath();
    await deadSocket(path);
    const results = await Promise.allSettled(['a', 'b', 'c', 'd'].map((name) => serveTelemetry(path, service(name))));
    const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(winners).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'TELEMETRY_PATH_IN_USE' });
    }
    expect(await rawClient(path).line(0)).toMatchObject({ protocol: 1 });
    await winners[0]!.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.skipIf(!isRoot)('a dead socket of another user is not', async () => {
    const path = freshPath();
    await deadSocket(path);
    chownSync(path, 65534, 65534);
    await expect(serveTelemetry(path, service())).rejects.toThrow(/is a socket of user 65534/);
    expect(lstatSync(path).isSocket()).toBe(true);
    unlinkSync(path);
  });

  it('anything else at the path is an error and stays', async () => {
    const file = freshPath();
    writeFileSync(file, 'precious');
    const directory = freshPath();
    mkdirSync(directory);
    const fifo = freshPath();
    execFileSync('mkfifo', [fifo]);
    const link = freshPath();
    symlinkSync('/nowhere', link);
    for (const path of [file, directory, fifo, link]) expect(await codeOf(path)).toBe('TELEMETRY_PATH_IN_USE');
    expect(readFileSync(file, 'utf8')).toBe('precious');
    expect(lstatSync(directory).isDirectory()).toBe(true);
    expect(lstatSync(fifo).isFIFO()).toBe(true);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    for (const path of [file, fifo, link]) unlinkSync(path);
    execFileSync('rmdir', [directory]);
  });

  it('a path that is too long is an error with both lengths, whether the system would cut it or not', async () => {
    const path = join(folder, 'x'.repeat(200));
    await expect(serveTelemetry(path, service())).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(serveTelemetry(path, service())).rejects.toThrow(/needs 2\d\d bytes, at most 10[37] expected/);
    const longest = join(folder, 'x'.repeat((process.platform === 'linux' ? 107 : 103) - folder.length - 1));
    expect(await codeOf(longest)).toBe('served');
    expect(await codeOf(`${longest}x`)).toBe('OPTION_INVALID');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('a folder that is missing or no folder is an error that says so', async () => {
    await expect(serveTelemetry(join(folder, 'none', 's'), service())).rejects.toThrow(
      /ENOENT; create its folder first/,
    );
    const file = freshPath();
    writeFileSync(file, '');
    expect(await codeOf(join(file, 's'))).toBe('OUTPUT_UNWRITABLE');
    unlinkSync(file);
  });

  it('close removes its own socket only', async () => {
    const path = freshPath();
    const served = await serveTelemetry(path, service());
    unlinkSync(path);
    writeFileSync(path, 'of somebody else');
    await served.close();
    expect(readFileSync(path, 'utf8')).toBe('of somebody else');
    unlinkSync(path);
    const first = await serveTelemetry(path, service('first'));
    unlinkSync(path);
    const second = await serveTelemetry(path, service('second'));
    removeSocket(path, first.identity);
    await first.close();
    expect(await rawClient(path).line(0)).toMatchObject({ name: 'second' });
    await second.close();
    expect(existsSync(path)).toBe(false);
  });
});
