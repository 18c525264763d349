import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { PhaseResult } from '../../src/cli/doctor/measure/phase.js';
import type { DoctorReport } from '../../src/cli/doctor/report.js';
import { canListProcesses, childrenOf, isRunning, MAIN, until } from '../demo/cli/run-cli.js';
import { AS_NOBODY, canRun, isRoot, skipsBecause } from '../native/support.js';

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

/** Where it runs, with its home and its temporary files: nothing may be left there. */
const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-doctor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(args: readonly string[], command: readonly string[] = [process.execPath]): Run {
  const env = { ...process.env, HOME: folder, TMPDIR: folder };
  const child = spawn(command[0]!, [...command.slice(1), MAIN, 'doctor', ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { child, ended };
}

const keys = (value: object): string[] => Object.keys(value).sort();

/** Checks keys, and that parts fit each other; returns the report. */
function checkReport(text: string): DoctorReport {
  const report = JSON.parse(text) as DoctorReport;
  expect(keys(report)).toEqual([
    'conditions',
    'durationS',
    'findings',
    'happened',
    'interrupted',
    'levels',
    'machine',
    'schemaVersion',
    'verdict',
  ]);
  expect(report.schemaVersion).toBe(1);
  expect(keys(report.conditions)).toEqual(['busyBeforePercent', 'cpuHogs', 'periodMs', 'workMs']);
  expect(report.conditions).toMatchObject({ workMs: 8, periodMs: 16.667 });
  expect(report.levels.map(({ level }) => level)).toEqual(['normal', 'high', 'realtime']);
  for (const level of report.levels) {
    expect(keys(level)).toEqual(['howToGet', 'level', 'thread', 'verdict', 'withLoad', 'withoutLoad']);
    const { requested, effective, reason } = level.thread!.priority;
    expect(requested).toBe(level.level);
    if (level.verdict === 'refused') {
      expect(effective).not.toBe(requested);
      expect(reason).toBeTruthy();
      expect([level.withoutLoad, level.withLoad]).toEqual([null, null]);
    } else {
      expect(level.howToGet).toEqual([]);
      checkPhase(level.withoutLoad, report.interrupted);
      checkPhase(level.withLoad, report.interrupted);
    }
  }
  expect(report.levels[0]!.verdict).not.toBe('refused');
  for (const finding of report.findings) {
    expect(keys(finding)).toEqual(['fix', 'id', 'status', 'text']);
    expect(['ok', 'note', 'problem', 'unknown']).toContain(finding.status);
  }
  const ids = report.findings.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['timerSlack', 'governor', 'container', 'steal', 'inspector', 'power']));
  expect(new Set(ids).size).toBe(ids.length);
  expect(report.verdict.text).not.toBe('');
  return report;
}

function checkPhase(phase: PhaseResult | null, mayLack: boolean): void {
  if (phase === null) {
    expect(mayLack).toBe(true);
    return;
  }
  expect(keys(phase)).toEqual(['frames', 'missedFrames', 'missedPercent', 'responseUs', 'wakeupUs']);
  expect(phase.frames).toBeGreaterThan(0);
  expect(phase.missedFrames).toBeGreaterThanOrEqual(0);
  expect(phase.missedFrames).toBeLessThanOrEqual(phase.frames);
  const { p50, max } = phase.responseUs;
  // whatever ran woke up first; where nothing ran, all was missed
  if (p50 === null) expect(phase.missedFrames).toBe(phase.frames);
  else expect(max).toBeGreaterThanOrEqual(phase.wakeupUs.p50!);
}

async function hogsOf(run: Run): Promise<number[]> {
  let hogs: number[] = [];
  await until('the hogs', () => {
    hogs = childrenOf(run.child.pid!);
    return hogs.length > 0 || run.child.exitCode !== null;
  });
  expect(hogs.length).toBeGreaterThan(0);
  return hogs;
}

const someRun = (pids: readonly number[]): boolean => pids.some(isRunning);

describe('frame-deadline doctor', () => {
  it('--json: one object, status 0, no file', async () => {
    const { status, stdout, stderr } = await start(['--json', '--seconds', '3']).ended;
    expect(status).toBe(0);
    expect(stderr).toBe('');
    const report = checkReport(stdout);
    expect(report.interrupted).toBe(false);
    expect(report.conditions.cpuHogs).toBeGreaterThan(0);
    expect(report.verdict.level).not.toBe(null);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('without a terminal: text without escape sequences', async () => {
    const { status, stdout, stderr } = await start(['--seconds', '2', '--no-addon']).ended;
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('native addon: switched off');
    expect(stdout).toMatch(/^normal +none/m);
    expect(stdout).toMatch(/^realtime refused$/m);
    expect(stdout).not.toContain('\x1b');
  });

  it('wrong use: status 2, one line', async () => {
    const { status, stdout, stderr } = await start(['--seconds', '60']).ended;
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^frame-deadline: --seconds .*doctor --help`[^\n]*\n$/);
  });

  it('--help', async () => {
    const { status, stdout } = await start(['--help']).ended;
    expect(status).toBe(0);
    expect(stdout).toContain('--seconds N');
  });
});

describe.runIf(canListProcesses)('its hogs', () => {
  it('end with it', async () => {
    const run = start(['--json', '--seconds', '2']);
    const hogs = await hogsOf(run);
    expect((await run.ended).status).toBe(0);
    expect(someRun(hogs)).toBe(false);
  });

  it('end on Ctrl-C, and it tells what it has', async () => {
    const run = start(['--json', '--seconds', '6']);
    const hogs = await hogsOf(run);
    run.child.kill('SIGINT');
    const { status, stdout } = await run.ended;
    expect(status).toBe(130);
    expect(checkReport(stdout).interrupted).toBe(true);
    expect(someRun(hogs)).toBe(false);
  });

  it.each(['SIGINT twice', 'SIGKILL'])('end on %s', async (how) => {
    const run = start(['--seconds', '6']);
    const hogs = await hogsOf(run);
    run.child.kill(how === 'SIGKILL' ? 'SIGKILL' : 'SIGINT');
    if (how !== 'SIGKILL') run.child.kill('SIGINT');
    expect((await run.ended).status).toBe(how === 'SIGKILL' ? null : 130);
    await until('the end of the hogs', () => !someRun(hogs));
  });
});

const reason =
  (isRoot ? null : 'not root, which another user is tried from') ??
  (canRun(`ulimit -e 0 && ulimit -r 0 && ${AS_NOBODY} ${process.execPath} -e "require('fs').accessSync('${MAIN}')"`)
    ? null
    : 'no other user can be tried from here');

describe.skipIf(skipsBecause('doctor as an ordinary user', reason))('as an ordinary user', () => {
  it('what is refused has the reason of the system and a way to get it', async () => {
    const limited = ['bash', '-c', `ulimit -e 0 && ulimit -r 0 && exec ${AS_NOBODY} "$@"`, 'bash', process.execPath];
    const { status, stdout } = await start(['--json', '--seconds', '2', '--no-addon'], limited).ended;
    expect(status).toBe(0);
    const { levels } = checkReport(stdout);
    expect(levels.map(({ verdict }) => verdict === 'refused')).toEqual([false, true, true]);
    expect(levels[1]!.thread!.priority.reason).toContain('setpriority: EACCES');
    expect(levels[1]!.howToGet).toHaveLength(1);
    // the addon, and the privilege
    expect(levels[2]!.howToGet).toHaveLength(2);
  });
});
