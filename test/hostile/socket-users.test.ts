import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createScheduler } from 'frame-deadline';
import { afterEach, describe, expect, it } from 'vitest';
import { serveTelemetry } from '../../src/host/node/telemetry-server.js';
import type { TelemetryService } from '../../src/host/telemetry-socket.js';
import { loadWork, WORK_URL } from '../engine/support.js';
import { rawClient, scratchFolder, until } from '../telemetry/socket/support.js';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
if (!isRoot && process.platform !== 'win32') console.warn('SKIPPED: attacks by another user need root to become one');

const scratch = scratchFolder();
let folders = 0;
const service: TelemetryService = { greeting: { secret: 'of-the-app' }, open: () => ({ answer: () => ({}) }) };
const children: ChildProcess[] = [];

/** A folder that all can enter, with these permissions. */
function folderWith(mode: number): string {
  chmodSync(scratch, 0o755);
  const folder = join(scratch, `f${folders++}`);
  mkdirSync(folder);
  chmodSync(folder, mode);
  return folder;
}

/** Runs a program as another user, who may do nothing that any user may not. Its lines come as JSON. */
function asNobody(program: string, ...args: string[]): { lines: unknown[]; stop(): Promise<void> } {
  const script = `const fs = require('node:fs'), net = require('node:net'), path = require('node:path');
process.setgroups([]); process.setgid(${NOBODY}); process.setuid(${NOBODY}); process.chdir('/');
const say = (what) => fs.writeSync(1, JSON.stringify(what) + '\\n');
const tryTo = (what) => { try { return { did: what() }; } catch (error) { return { code: error.code }; } };
say('ready');
${program}`;
  const child = spawn(process.execPath, ['-e', script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines: unknown[] = [];
  let rest = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    lines.push(...parts.map((line) => JSON.parse(line) as unknown));
  });
  const ended = once(child, 'close').then(() => {});
  return {
    lines,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe.skipIf(!isRoot)('another user of the machine', () => {
  it('cannot connect to, read, write, link, open up or remove the socket of a running scheduler', async () => {
    const folder = folderWith(0o755);
    const path = join(folder, 'app.sock');
    const scheduler = await createScheduler({ lanes: { work: { tasks: WORK_URL, load: loadWork } }, spares: 0 });
    await scheduler.serveTelemetry({ path });
    const attack = asNobody(
      `const at = process.argv[1];
say({ open: tryTo(() => fs.openSync(at, 'r+')), chmod: tryTo(() => fs.chmodSync(at, 0o777)),
  unlink: tryTo(() => fs.unlinkSync(at)), rename: tryTo(() => fs.renameSync(at, at + '2')),
  link: tryTo(() => fs.linkSync(at, '/tmp/fd-linked-' + process.pid)) });
net.connect(at).on('connect', () => say('connected')).on('error', (error) => say({ connect: error.code }));`,
      path,
    );
    await until('its answer', () => attack.lines.length >= 3);
    expect(attack.lines[1]).toMatchObject({
      open: { code: expect.stringMatching(/EACCES|ENXIO/) },
      chmod: { code: 'EPERM' },
      unlink: { code: 'EACCES' },
      rename: { code: 'EACCES' },
    });
    expect((attack.lines[1] as { link: { code?: string } }).link.code).toMatch(/EPERM|EACCES|EXDEV/);
    expect(attack.lines[2]).toEqual({ connect: 'EACCES' });
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
    await scheduler.close();
  });

  it('cannot get in while the socket is being made, a hundred times', async () => {
    const folder = folderWith(0o1777);
    // it opens, lists and connects to whatever appears, as fast as it can
    const attack = asNobody(
      `const folder = process.argv[1]; let tries = 0, entered = 0;
const knock = (at) => new Promise((done) => {
  tries++;
  const socket = net.connect(at);
  socket.on('data', (text) => { if (String(text).includes('of-the-app')) say({ got: at }); });
  socket.on('connect', () => { entered++; setTimeout(() => { socket.destroy(); done(); }, 20); }).on('error', done);
});
(async () => {
  for (;;) {
    for (const name of fs.readdirSync(folder)) {
      const at = path.join(folder, name);
      const inside = tryTo(() => fs.readdirSync(at));
      if (inside.did) say({ listed: at });
      await knock(at);
      await knock(path.join(at, 's'));
    }
    if (tries > 0) { say({ tries, entered }); tries = 0; }
    await new Promise((next) => setImmediate(next));
  }
})();`,
      folder,
    );
    await until('it is there', () => attack.lines.length > 0);
    for (let round = 0; round < 100; round++) {
      const served = await serveTelemetry(join(folder, `s${round % 7}`), service);
      await served.close();
    }
    const last = await serveTelemetry(join(folder, 'last'), service);
    const before = attack.lines.length;
    await until('it tries the last too', () => attack.lines.length > before + 2);
    await attack.stop();
    const counts = attack.lines.filter((line) => typeof line === 'object') as Record<string, unknown>[];
    expect(counts.filter((line) => 'got' in line || 'listed' in line)).toEqual([]);
    expect(counts.every((line) => line['entered'] === 0)).toBe(true);
    expect(counts.reduce((sum, line) => sum + Number(line['tries']), 0)).toBeGreaterThan(10);
    await last.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('cannot make it write, remove or trust what lies at the path: links, files and sockets put there in a race', async () => {
    const folder = folderWith(0o1777);
    const victim = join(folderWith(0o700), 'victim');
    writeFileSync(victim, 'precious');
    chmodSync(victim, 0o640);
    const path = join(folder, 'app.sock');
    const attack = asNobody(
      `const [at, victim] = process.argv.slice(1); let turn = 0, laid = 0;
(async () => {
  for (;;) {
    const how = turn++ % 4;
    const done = tryTo(() => {
      if (how === 0) fs.symlinkSync(victim, at);
      else if (how === 1) fs.writeFileSync(at, '', { flag: 'wx' });
      else if (how === 2) fs.mkdirSync(at);
    });
    if (how === 3) await new Promise((next) => {
      const server = net.createServer((socket) => socket.end('fake')).on('error', next);
      server.listen(at, () => { laid++; server.close(next); });
    });
    if (done.code === undefined) laid++;
    if (turn % 50 === 0) say({ laid });
    tryTo(() => fs.unlinkSync(at)); tryTo(() => fs.rmdirSync(at));
    await new Promise((next) => setImmediate(next));
  }
})();`,
      path,
      victim,
    );
    await until('it lays its traps', () => attack.lines.length > 1);
    const outcomes: Record<string, number> = {};
    for (let round = 0; round < 300; round++) {
      let outcome = 'served';
      try {
        const served = await serveTelemetry(path, service);
        const found = lstatSync(path);
        expect([found.isSocket(), found.uid, found.mode & 0o777]).toEqual([true, 0, 0o600]);
        if (round % 20 === 0) expect(await rawClient(path).line(0)).toEqual({ secret: 'of-the-app' });
        await served.close();
      } catch (error) {
        outcome = (error as { code?: string }).code ?? String(error);
      }
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    await attack.stop();
    const { served = 0, TELEMETRY_PATH_IN_USE: inUse = 0, ...others } = outcomes;
    expect(others).toEqual({});
    expect(served).toBeGreaterThan(0);
    expect(inUse).toBeGreaterThan(0);
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(lstatSync(victim).mode & 0o777).toBe(0o640);
    rmSync(path, { recursive: true, force: true });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('owns what it puts at the path: nothing of another user is replaced, dead or not', async () => {
    const folder = folderWith(0o1777);
    const path = join(folder, 'app.sock');
    const attack = asNobody(
      `net.createServer((socket) => socket.end('{"frameDeadline":"telemetry","protocol":1,"pid":1,"name":"fake"}\\n')).listen(process.argv[1], () => say('listens'));`,
      path,
    );
    await until('it listens', () => attack.lines.length > 1);
    await expect(serveTelemetry(path, service)).rejects.toThrow(/is a socket of user 65534/);
    await attack.stop();
    await expect(serveTelemetry(path, service)).rejects.toThrow(/is a socket of user 65534/);
    expect(lstatSync(path).uid).toBe(NOBODY);
    chownSync(path, 0, 0);
    const served = await serveTelemetry(path, service);
    await served.close();
  });
});
