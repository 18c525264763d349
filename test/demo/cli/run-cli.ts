import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

export const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

export interface CliResult {
  /** Exit status, or null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliProcess {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  stderr(): string;
}

/** A user to run as: of this process, if not given. */
type User = Pick<SpawnOptions, 'uid' | 'gid'>;

/** Starts the built command line as a process of its own. */
export function startCli(args: readonly string[], user: User = {}): CliProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...user });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdout.on('error', () => {});
  const result = new Promise<CliResult>((resolve) => {
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { child, result, stderr: () => stderr };
}

export function runCli(args: readonly string[], user: User = {}): Promise<CliResult> {
  return startCli(args, user).result;
}

/** As `runCli`, with standard output to a file or device. */
export async function runCliInto(file: string, args: readonly string[]): Promise<Omit<CliResult, 'stdout'>> {
  const descriptor = openSync(file, 'w');
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', descriptor, 'pipe'] });
  closeSync(descriptor);
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { status, stderr };
}

/** A directory of its own, removed after the file's tests. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'frame-deadline-cli-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export { until } from '../../until.js';

export const canListProcesses = existsSync('/proc/self/stat');

/** Process ids of the children of `parent`, by /proc. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && parentOf(pid) === parent);
}

/** Whether it runs: one that has ended and waits to be collected does not. */
export function isRunning(pid: number): boolean {
  return statOf(pid)?.[0] !== undefined && statOf(pid)?.[0] !== 'Z';
}

function parentOf(pid: number): number {
  return Number(statOf(pid)?.[1] ?? -1);
}

/** Fields of stat from the third on: state, parent, ... */
function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
