import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readWav } from '../../../src/cli/demo/audio/wav-reader.js';
import { checkReport } from './report-checks.js';
import {
  type CliProcess,
  canListProcesses,
  childrenOf,
  isRunning,
  scratchDirectory,
  startCli,
  until,
} from './run-cli.js';

const directory = scratchDirectory();

describe('Ctrl-C', () => {
  const MOMENTS: [when: string, seconds: string, reached: (process: CliProcess, out: string) => boolean][] = [
    ['once the output directory is there', '30', (_, out) => existsSync(out)],
    ['once the WAV is open', '30', (_, out) => existsSync(join(out, 'audio.wav'))],
    ['once it plays', '30', (process) => process.stderr().includes(' s of ')],
    ['after a while', '30', (process) => process.stderr().split(' s of ').length > 2],
    ['near the end', '1.1', (process) => process.stderr().split(' s of ').length > 2],
  ];
  it.each(MOMENTS)('%s: files finished, status 130, one JSON object', async (when, seconds, reached) => {
    const out = join(directory, when.replaceAll(' ', '-'));
    const process = startCli(['demo', '--json', '--seconds', seconds, '--load', '1', '--out', out]);
    await until(when, () => reached(process, out) || process.child.exitCode !== null);
    process.child.kill('SIGINT');
    const { status, stdout } = await process.result;
    const report = checkReport(stdout);
    // near the end it may have been through
    if (seconds === '30') expect(report.interrupted).toBe(true);
    if (report.interrupted) expect(status).toBe(130);
    expect(existsSync(report.files.report!)).toBe(true);
    if (report.files.wav === null) return;
    expect(readWav(report.files.wav).sampleFrames).toBe(report.audio.blocks * 128);
    expect(report.durationS).toBeLessThan(30);
    if (report.audio.xruns === 0 && report.audio.blocks > 0) expect(report.audio.identicalToOffline).not.toBe(false);
  });

  it('twice ends at once', async () => {
    const process = startCli(['demo', '--seconds', '30', '--quiet', '--json', '--out', join(directory, 'twice')]);
    await until('the WAV', () => existsSync(join(directory, 'twice', 'audio.wav')));
    process.child.kill('SIGINT');
    process.child.kill('SIGINT');
    const { status } = await process.result;
    expect(status).toBe(130);
  });
});

describe.runIf(canListProcesses)('CPU hogs', () => {
  const load = (name: string) =>
    startCli([
      'demo',
      '--seconds',
      name === 'end' ? '1' : '30',
      '--load',
      '2',
      '--quiet',
      '--out',
      join(directory, name),
    ]);
  const hogsOf = async (process: CliProcess): Promise<number[]> => {
    let hogs: number[] = [];
    await until('the hogs', () => {
      hogs = childrenOf(process.child.pid!);
      return hogs.length === 2;
    });
    return hogs;
  };
  const gone = (hogs: number[]): Promise<void> => until('the end of the hogs', () => !hogs.some(isRunning));

  it('end with the run', async () => {
    const process = load('end');
    const hogs = await hogsOf(process);
    expect((await process.result).status).toBe(0);
    expect(hogs.filter(isRunning)).toEqual([]);
  });
  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)('end when the run is ended by %s', async (signal) => {
    const process = load(signal);
    const hogs = await hogsOf(process);
    process.child.kill(signal);
    const { status } = await process.result;
    expect(status).toBe(signal === 'SIGKILL' ? null : signal === 'SIGINT' ? 130 : 143);
    await gone(hogs);
  });
});
