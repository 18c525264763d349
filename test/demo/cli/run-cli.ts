import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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

/** Starts the built command line as a process of its own. */
export function startCli(args: readonly string[]): CliProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
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

export function runCli(args: readonly string[]): Promise<CliResult> {
  return startCli(args).result;
}

/** A directory of its own, removed after the file's tests. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'frame-deadline-cli-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Resolves once `condition` holds; rejects after 30 s. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const start = Date.now();
  while (!condition()) {
    if (Date.now() - start > 30_000) throw new Error(`waited 30 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

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
