import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { checked } from '../../src/host/node/addon.js';
import type { ThreadReport } from '../../src/host/thread-control.js';
import { skipsBecause, whyNot } from './support.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** What thread control answers in a process of its own, with the built package in `folder`. */
function answerIn(folder: string, environment: Record<string, string> = {}, nodeOptions: string[] = []): ThreadReport {
  const module = join(folder, 'dist/host/node/thread-control.js');
  const script = `
    const { NodeThreadControl } = await import(${JSON.stringify(module)});
    const request = { name: 'x', priority: 'realtime', cpus: null, budget: { periodUs: 16667, budgetUs: 1000 } };
    console.log(JSON.stringify(new NodeThreadControl().apply(request)));`;
  const args = [...nodeOptions, '--input-type=module', '--eval', script];
  return JSON.parse(
    execFileSync(process.execPath, args, { env: { ...process.env, ...environment }, encoding: 'utf8' }),
  );
}

/** The built package without the addon. */
function copyOfPackage(withDependencies: boolean): string {
  const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-addon-'));
  folders.push(folder);
  cpSync(join(root, 'dist/host'), join(folder, 'dist/host'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  if (withDependencies) symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

const prefix = 'the native addon is not loaded: ';

/** Nothing but the addon is missing. */
function expectWithout(report: ThreadReport): void {
  expect(report.priority.requested).toBe('realtime');
  expect(report.priority.effective).not.toBe('realtime');
  expect(report.priority.reason).not.toContain('\n');
  expect(report.leash).toBe(null);
  if (process.platform !== 'linux') return;
  expect(report.threadId).toBeGreaterThan(0);
  expect(report.timerSlackNs).toEqual({ requested: 1, effective: 1, mechanism: 'timerslack_ns', reason: null });
}

describe('without the native addon', () => {
  it('the environment switches it off', () => {
    const report = answerIn(root, { FRAME_DEADLINE_ADDON: '0' });
    expect(report.priority.reason).toContain(`${prefix}switched off by FRAME_DEADLINE_ADDON=0`);
    expectWithout(report);
  });

  it('a build of another version, without a function that is called, is as good as none', () => {
    const complete = { platform: 'x', apply() {}, abandon() {}, read() {}, lockMemory() {}, usage() {} };
    expect(checked(complete)).toEqual({ addon: complete, reason: null });
    const { abandon: _, ...old } = complete;
    expect(checked(old)).toEqual({
      addon: null,
      reason: `${prefix}it was built for another version: it has no abandon`,
    });
    for (const nothing of [undefined, null, {}, { ...complete, platform: undefined }]) {
      expect(checked(nothing).reason).toContain('built for another version');
    }
  });

  it('a package without a build says so in one line', () => {
    const report = answerIn(copyOfPackage(true));
    expect(report.priority.reason).toContain(prefix);
    expect(report.priority.reason).toMatch(/No native build was found|Cannot find module 'node-gyp-build'/);
    expectWithout(report);
  });

  it('a package without its dependency works', () => {
    const report = answerIn(copyOfPackage(false));
    expect(report.priority.reason).toContain(`${prefix}Cannot find module 'node-gyp-build'`);
    expectWithout(report);
  });

  it("Node's own --no-addons is respected", () => {
    const report = answerIn(root, {}, ['--no-addons']);
    expect(report.priority.reason).toContain(prefix);
    expectWithout(report);
  });
});

describe('building the addon', () => {
  it('is one line of text where it cannot be done', () => {
    // no compiler, no make: nothing on the search path
    const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-build-'));
    folders.push(folder);
    cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true });
    cpSync(join(root, 'native'), join(folder, 'native'), {
      recursive: true,
      filter: (source) => !source.includes('/build') && !source.includes('/prebuilds'),
    });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    const output = execFileSync(process.execPath, [join(folder, 'scripts/build-native.js')], {
      env: { PATH: '/nowhere', HOME: folder },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(output).toMatch(/^native addon: not built \(.+\); everything works without it, with less\n$/);
    expect(existsSync(join(folder, 'native/build/Release/thread_control.node'))).toBe(false);
  });
});

it.skipIf(skipsBecause('a thread that polls', whyNot))(
  'with the native addon, a thread that polls is not made real-time',
  async () => {
    const script = `
    const { NodeThreadControl } = await import(${JSON.stringify(join(root, 'dist/host/node/thread-control.js'))});
    const request = { name: 'x', priority: 'realtime', cpus: null, mayPoll: true, budget: { periodUs: 9, budgetUs: 1 } };
    console.log(JSON.stringify(new NodeThreadControl().apply(request)));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' });
    const report = JSON.parse(output) as ThreadReport;
    expect(report.priority).toMatchObject({ requested: 'realtime' });
    expect(report.priority.effective).not.toBe('realtime');
    expect(report.priority.reason).toContain('realtime is not for a thread that polls (spinUs above 0)');
  },
);
