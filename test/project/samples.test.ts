import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The samples of a page, pasted in their order: a block that begins with the name of a file is that file, any other goes
// into main.mjs, before its close().

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-samples-'));
const LAST = 'await scheduler.close();';
beforeAll(() => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/frame-deadline'), 'junction');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function paste(page: string): string {
  const files = new Map<string, string>();
  for (const [, code = ''] of readFileSync(join(root, page), 'utf8').matchAll(/^```js\n([\s\S]*?)^```/gm)) {
    const name = /^\/\/ ([\w.-]+\.m?js)\b(?! goes on)/.exec(code)?.[1];
    const main = files.get('main.mjs') ?? '';
    const end = main.lastIndexOf(LAST);
    if (name !== undefined) files.set(name, code);
    else if (end >= 0) files.set('main.mjs', main.slice(0, end) + code + main.slice(end));
    else throw new Error(`${page}: a block without a file's name in front of main.mjs: ${code}`);
  }
  const pasted = mkdtempSync(join(folder, 'page-'));
  writeFileSync(join(pasted, 'package.json'), '{ "type": "module" }');
  for (const [name, code] of files) writeFileSync(join(pasted, name), code.replaceAll('/tmp/', `${pasted}/`));
  return pasted;
}

function run(cwd: string, file: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd, encoding: 'utf8', timeout: 60_000 });
  return { status, stdout, stderr };
}

describe('samples, as they stand', () => {
  it('README.md: the frame loop and what is pasted into it', () => {
    const pasted = paste('README.md');
    const { status, stdout, stderr } = run(pasted, 'main.mjs');
    // misses of a busy machine are warnings
    const faults = stderr.split('\n').filter((line) => line !== '' && !/^\w+\.\w+ missed by \d+ us: /.test(line));
    expect({ status, faults }).toEqual({ status: 0, faults: [] });
    expect(stdout).toMatch(/^\d+ \{\n {2}count: \d+,/);
    expect(stdout).toContain('worker audio serves audio');
    expect(readFileSync(join(pasted, 'report.html'), 'utf8')).toContain('</html>');
  }, 90_000);

  it('README.md: the test', () => {
    const answer = run(paste('README.md'), 'render.test.mjs');
    expect(answer).toEqual({ status: 0, stdout: 'late overrun\ntrue\n', stderr: '' });
  }, 90_000);

  it('docs/memory-model.md: a result behind a barrier', () => {
    const { status, stdout, stderr } = run(paste('docs/memory-model.md'), 'main.mjs');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^(onTime|late) 99\.997/);
  }, 90_000);

  it('docs/streams.md', () => {
    const pasted = paste('docs/streams.md');
    const lanes = run(pasted, 'main.mjs');
    expect({ ...lanes, stdout: '' }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(Number(/^(\d+) sample frames metered/.exec(lanes.stdout)?.[1])).toBeGreaterThan(0);
    const bytes = run(pasted, 'bytes.mjs');
    expect(bytes.stdout.split('\n')).toEqual([
      '64',
      '16 frame frame fram',
      `${'frame '.repeat(20).slice(16, 64)}true`,
      '',
    ]);
    const records = run(pasted, 'records.mjs');
    const counts = '{ overruns: 2, droppedItems: 2, underruns: 0, missingItems: 0 }';
    expect(records.stdout).toBe(`0 0 0\n1 10 20\n2 20 40\n3 30 60\n${counts}\n`);
  }, 90_000);
});
