import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const CHILD = fileURLToPath(new URL('./children/memory.js', import.meta.url));
/** A case takes some 20 ms (on threads a second); one that takes so long does not end. */
const PATIENCE_MS = 30_000;

interface End {
  readonly code: number | null;
  /** The last case that was begun. */
  readonly lastLine: string;
  readonly stderr: string;
  readonly hung: boolean;
}

/** Runs the child and kills it when it falls silent. */
async function damage(...args: string[]): Promise<End> {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  let lines = '';
  let hung = false;
  const giveUp = (): void => {
    hung = true;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(giveUp, PATIENCE_MS);
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    lines = (lines + chunk.toString()).slice(-4000);
    clearTimeout(timer);
    timer = setTimeout(giveUp, PATIENCE_MS);
  });
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, lastLine: lines.trimEnd().split('\n').at(-1) ?? '', stderr, hung };
}

it.each([
  ['inline', 6],
  ['threads', 8],
])(
  'whatever is written into the shared memory (%s), each call ends, with an error that has a code',
  async (mode, seconds) => {
    const seed = process.env['FRAME_DEADLINE_SEED'] ?? String(Date.now() % 2 ** 31);
    console.log(`FRAME_DEADLINE_SEED=${seed}`);
    const end = await damage(mode, String(seconds), seed);
    expect(end.hung, `no end: node test/fuzz/children/memory.js ${mode} 1 1 ${end.lastLine}`).toBe(false);
    expect(end.stderr).toBe('');
    expect(end.code).toBe(0);
    expect(end.lastLine).toMatch(/^cases [1-9]/);
  },
);
