import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TopModel } from '../../src/cli/top/model.js';
import { parseTelemetry } from '../../src/report/parse-telemetry.js';
import { MAIN, runCli, runCliInto, startCli } from '../demo/cli/run-cli.js';
import { until } from '../telemetry/socket/support.js';

const folder = mkdtempSync(join(tmpdir(), 'fd-top-'));
const path = join(folder, 'app');
const children: ChildProcess[] = [];

async function startApp(at: string, ends = 'never'): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('../telemetry/socket/app.js', import.meta.url));
  const child = spawn(process.execPath, [script, at, ends], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child.stdout!, 'data');
  return child;
}

beforeAll(async () => {
  await startApp(path);
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

describe('frame-deadline top', () => {
  it('--once --json gives one object of one interval', async () => {
    const { status, stdout, stderr } = await runCli(['top', path, '--once', '--json', '--every', '500']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const model = JSON.parse(stdout) as TopModel;
    expect(model.schemaVersion).toBe(1);
    expect(model.intervalUs).toBeGreaterThan(400_000);
    expect(model.lanes.map((lane) => lane.name)).toEqual(['audio', 'render']);
    const [audio, render] = model.lanes;
    expect(audio).toMatchObject({ periodUs: 5000, shareOf: 'period', xrunsTotal: 1, xruns: 0 });
    expect(render).toMatchObject({ periodUs: null, shareOf: 'interval', xruns: null });
    expect(audio!.jobsPerSecond).toBeGreaterThan(10);
    expect(audio!.missesTotal).toBeGreaterThanOrEqual(audio!.misses);
    expect(model.loops).toMatchObject([{ hz: 60, running: true }]);
    expect(model.workers).toHaveLength(2);
  });

  it('--once says it in words, without control characters from names', async () => {
    const { status, stdout } = await runCli(['top', path, '--once', '--every', '300']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\S+ app\.js \(pid \d+\), up /);
    expect(stdout).toMatch(/ {2}lane audio: .* jobs\/s; waiting .*; \d+ missed/);
    expect(stdout).toMatch(/main thread, loop 0 of 60 Hz/);
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('not on a terminal: lines for each interval, with --json one object a line; ends with its reader', async () => {
    const process = startCli(['top', path, '--json', '--every', '100']);
    let text = '';
    process.child.stdout!.on('data', (chunk: string) => {
      text += chunk;
    });
    await until('three lines', () => text.split('\n').length > 3);
    process.child.stdout!.destroy();
    expect((await process.result).status).toBe(0);
    const models = text
      .split('\n')
      .slice(0, 3)
      .map((line) => JSON.parse(line) as TopModel);
    expect(models[1]!.uptimeUs).toBeGreaterThan(models[0]!.uptimeUs);
  });

  it('an app that is killed: a clear word and an exit status of its own', async () => {
    const at = join(folder, 'mortal');
    const app = await startApp(at);
    const top = startCli(['top', at, '--every', '100']);
    await until('it shows', () => top.child.stdout!.readableFlowing === true);
    let text = '';
    top.child.stdout!.on('data', (chunk: string) => {
      text += chunk;
    });
    await until('a picture', () => text.includes('lane audio'));
    app.kill('SIGKILL');
    const { status, stderr } = await top.result;
    expect(status).toBe(3);
    expect(stderr).toBe(`frame-deadline: the app app.js (process ${app.pid}) has ended\n`);
    // and once more, when it is gone
    const later = await runCli(['top', at]);
    expect(later.status).toBe(1);
    expect(later.stderr).toMatch(/nobody listens there any more: the app has ended \[TELEMETRY_UNREACHABLE\]\n$/);
  });

  it('an app that closes its scheduler and lives on: says that', async () => {
    const at = join(folder, 'closing');
    const app = await startApp(at, 'closeLater');
    const { status, stderr } = await runCli(['top', at, '--every', '100']);
    expect(status).toBe(3);
    expect(stderr).toBe(`frame-deadline: the app app.js (process ${app.pid}) has closed its telemetry socket\n`);
  });

  it('an app that is stopped: says that it does not answer', async () => {
    const at = join(folder, 'stopped');
    const app = await startApp(at);
    const top = startCli(['top', at, '--every', '100']);
    let text = '';
    top.child.stdout!.on('data', (chunk: string) => {
      text += chunk;
    });
    await until('a picture', () => text.includes('lane audio'));
    app.kill('SIGSTOP');
    const { status, stderr } = await top.result;
    app.kill('SIGKILL');
    expect(status).toBe(3);
    expect(stderr).toMatch(/does not answer any more: .*did not answer for 5000 ms/);
  });

  it.runIf(existsSync('/dev/full'))('a standard output that takes no more: status 1, and why', async () => {
    const { status, stderr } = await runCliInto('/dev/full', ['top', path, '--every', '100']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/cannot write to standard output \(ENOSPC\).*\[OUTPUT_UNWRITABLE\]\n$/);
  });

  it('Ctrl-C ends it with 130', async () => {
    const top = startCli(['top', path, '--every', '60000']);
    await new Promise((resolve) => setTimeout(resolve, 700));
    top.child.kill('SIGINT');
    expect((await top.result).status).toBe(130);
  });

  it('says what is wrong with its arguments and its path', async () => {
    const cases: [readonly string[], number, RegExp][] = [
      [[], 2, /no path given/],
      [['a', 'b'], 2, /"b" given after the path/],
      [[path, '--every', '10'], 2, /--every "10" given, a whole number of milliseconds from 100 to 60000/],
      [[path, '--every', '-5'], 2, /--every "-5" given, a whole number/],
      [['--', '-5'], 1, /there is nothing at that path/],
      [[path, '--evry', '100'], 2, /Unknown option '--evry'/],
      [[join(folder, 'none')], 1, /there is nothing at that path/],
      [[folder], 1, /TELEMETRY_UNREACHABLE/],
    ];
    writeFileSync(join(folder, 'file'), '');
    cases.push([[join(folder, 'file')], 1, /TELEMETRY_UNREACHABLE/]);
    const results = await Promise.all(cases.map(([args]) => runCli(['top', ...args])));
    results.forEach(({ status, stderr }, i) => {
      expect(stderr).toMatch(cases[i]![2]);
      expect(status).toBe(cases[i]![1]);
    });
    const help = await runCli(['top', '--help']);
    expect(help.status).toBe(0);
    expect(help.stdout).toMatch(/Exit status/);
  });
});

const noTerminal = spawnSync('python3', ['-c', 'import pty']).status !== 0;
if (noTerminal) console.warn('SKIPPED: top on a terminal; needs python3 with its module pty');
describe.skipIf(noTerminal)('frame-deadline top on a terminal', () => {
  type Step = readonly ['wait' | 'type' | 'signal' | 'stopped', string];
  async function onTerminal(columns: number, rows: number, steps: readonly Step[], cwd = folder) {
    const script = fileURLToPath(new URL('./terminal.py', import.meta.url));
    const args = [script, `${columns}`, `${rows}`, JSON.stringify(steps)];
    const command = [process.execPath, MAIN, 'top', path, '--every', '200'];
    const environment = { ...process.env, TERM: 'xterm-256color' };
    const options = { cwd, env: environment, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await promisify(execFile)('python3', [...args, ...command], options);
    return JSON.parse(stdout) as { status: number | null; failed: string | null; restored: boolean; output: string };
  }
  const ENTER = '\x1b[?1049h';
  const LEAVE = '\x1b[?1049l';

  it('keys: chooses a lane, saves a trace and a report, pauses, quits, and puts the terminal back', async () => {
    const cwd = mkdtempSync(join(folder, 'saved-'));
    const { status, failed, output } = await onTerminal(
      110,
      34,
      [
        ['wait', 'jobs/s'],
        ['type', '\t'],
        ['wait', '> '],
        ['wait', 'block'],
        ['type', 't'],
        ['wait', 'trace saved in'],
        ['type', 'r'],
        ['wait', 'report saved in'],
        ['type', 'p'],
        ['wait', 'paused'],
        ['type', 'q'],
      ],
      cwd,
    );
    expect({ status, failed }).toEqual({ status: 0, failed: null });
    expect(output.startsWith(ENTER)).toBe(true);
    expect(output.endsWith(LEAVE)).toBe(true);
    const files = readdirSync(cwd);
    const trace = files.find((file) => file.endsWith('.trace.json'))!;
    const report = files.find((file) => file.endsWith('.report.json'))!;
    expect(
      (JSON.parse(readFileSync(join(cwd, trace), 'utf8')) as { traceEvents: unknown[] }).traceEvents.length,
    ).toBeGreaterThan(10);
    expect(parseTelemetry(readFileSync(join(cwd, report), 'utf8')).lanes).toHaveLength(2);
    expect(existsSync(path)).toBe(true);
  });

  it('Ctrl-C and SIGTERM put the terminal back too', async () => {
    for (const [step, expected] of [
      [['type', '\x03'], 130],
      [['signal', 'SIGTERM'], 143],
    ] as const) {
      const { status, failed, output } = await onTerminal(80, 24, [['wait', 'jobs/s'], step]);
      expect({ status, failed }).toEqual({ status: expected, failed: null });
      expect(output.endsWith(LEAVE)).toBe(true);
    }
  });

  it('Ctrl-Z puts the terminal back, and takes it again on return', async () => {
    const { status, failed, output } = await onTerminal(80, 24, [
      ['wait', 'jobs/s'],
      ['type', '\x1a'],
      ['wait', LEAVE],
      ['stopped', ''],
      ['signal', 'SIGCONT'],
      ['wait', ENTER],
      ['wait', 'jobs/s'],
      ['type', 'q'],
    ]);
    expect({ status, failed }).toEqual({ status: 0, failed: null });
    expect(output.endsWith(LEAVE)).toBe(true);
  });

  it('narrow and low terminals get what fits', async () => {
    const { status, failed } = await onTerminal(22, 5, [
      ['wait', 'audio'],
      ['type', 'q'],
    ]);
    expect({ status, failed }).toEqual({ status: 0, failed: null });
  });
});
