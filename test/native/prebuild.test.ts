import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { isNewer, problemOf, readShared } from '../../scripts/elf.js';
import { LINUX_PREBUILDS, PREBUILDS } from '../../scripts/native-tools.js';
import { canRun, skipsBecause } from './support.js';

const native = fileURLToPath(new URL('../../native/', import.meta.url));
const musl = fileURLToPath(new URL('../../scripts/musl.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-prebuild-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the build files', () => {
  it('name every C file, and for Linux those that the prebuilds are made of', () => {
    const gyp = readFileSync(join(native, 'binding.gyp'), 'utf8');
    const named = [...gyp.matchAll(/"(\w+\.c)"/g)].map((match) => match[1]);
    expect(named.sort()).toEqual(
      readdirSync(native)
        .filter((name) => name.endsWith('.c'))
        .sort(),
    );
    const linux = /OS=='linux'.*?"sources": \[(.*?)\]/s.exec(gyp)![1]!;
    expect(linux.match(/\w+\.c/g)!.every((name) => name.startsWith('thread_linux'))).toBe(true);
  });

  it('compare versions by their numbers', () => {
    expect(isNewer('2.34', '2.28')).toBe(true);
    expect(isNewer('2.4', '2.28')).toBe(false);
    expect(isNewer('2.28', '2.28')).toBe(false);
    expect(isNewer('2.2.5', '2.28')).toBe(false);
    expect(isNewer('2.28.1', '2.28')).toBe(true);
    expect(isNewer('3', '2.28')).toBe(true);
  });
});

describe.each(LINUX_PREBUILDS)('the prebuild for $arch, $libc', (target) => {
  const path = join(PREBUILDS, target.file);
  const reason = existsSync(path) ? null : 'not built (npm run native:prebuild)';

  it.skipIf(skipsBecause(`prebuild ${target.file}`, reason))('asks for nothing that a system may lack', () => {
    expect(problemOf(path, target)).toBe(null);
    const { needed, versions } = readShared(path);
    expect(needed).toEqual(target.libc === 'glibc' ? ['libc.so.6'] : []);
    if (target.libc === 'musl') expect(versions).toEqual([]);
    else expect(versions.length).toBeGreaterThan(0);
    // another processor's is told apart
    const other = target.arch === 'x64' ? 'arm64' : 'x64';
    expect(problemOf(path, { ...target, arch: other })).toContain('expected');
  });

  if (target.libc !== 'musl') return;

  const launcher =
    target.arch === process.arch ? [] : [{ arm64: 'qemu-aarch64-static', x64: 'qemu-x86_64-static' }[target.arch]];
  const cannot =
    reason ??
    (launcher.length === 0 || canRun(`${launcher[0]} --version`) ? null : `no ${launcher[0]}`) ??
    (canRun(`"${process.execPath}" ${musl} ${target.arch} ${source('load.c')} ${folder}/try`)
      ? null
      : 'no musl (musl-dev)');

  function source(name: string): string {
    return fileURLToPath(new URL(name, import.meta.url));
  }

  /** Compiles for musl and runs with its loader. */
  function run(name: string, ...args: string[]) {
    const program = join(folder, `${name}-${target.arch}`);
    const loader = execFileSync(process.execPath, [musl, target.arch, source(name), program], { encoding: 'utf8' });
    const [command, ...rest] = [...launcher, loader.trim(), program, ...args];
    return spawnSync(command!, rest, { encoding: 'utf8' });
  }

  describe.skipIf(skipsBecause(`loading ${target.file}`, cannot))('with musl', () => {
    it('loads with all symbols, in two threads, and reports', () => {
      const { status, stdout, stderr } = run('load.c', path);
      expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
      const [applied, read, appliedAgain, readAgain] = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(applied.timerSlack).toEqual({ mechanism: 'prctl PR_SET_TIMERSLACK', reason: null });
      expect(applied.state).toMatchObject({ error: null, priority: 0, policy: 'SCHED_OTHER', timerSlackNs: 2000 });
      expect(applied.state.cpus.length).toBeGreaterThan(0);
      expect(read).toEqual(applied.state);
      expect(readAgain).toEqual(appliedAgain.state);
      expect(readAgain).toEqual({ ...read, threadId: readAgain.threadId });
      expect(readAgain.threadId).not.toBe(read.threadId);
    });

    it('grants what limits allow, and survives many threads', () => {
      const { status, stdout, stderr } = run('check.c');
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '0 failed\n', stderr: '' });
    });
  });
});
