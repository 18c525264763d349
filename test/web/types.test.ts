import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

// DOM and Node types never leak into each other's entry: apps that have only one kind compile, by the export map.

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const folder = mkdtempSync(join(root, 'test/web/types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const USE = `
import { createScheduler, f32, task } from 'NAME';
export const twice = task({ input: { x: f32 }, output: { y: f32 }, run: (input, output) => { output.y = input.x * 2; } });
const scheduler = await createScheduler<{ work: { twice: typeof twice } }>({
  lanes: { work: { tasks: new URL('./x.js', import.meta.url) } },
});
export const y: number = scheduler.submit(scheduler.lanes.work.twice, { x: 1 }).output.y;
`;

/** Compiles an app that knows these libraries and no others; gives what the compiler says. */
function compile(name: string, lib: string[], types: string[], conditions: string[], source: string): string {
  const app = join(folder, name);
  writeFileSync(`${app}.ts`, source);
  const compilerOptions = {
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    lib: ['es2022', ...lib],
    types,
    customConditions: conditions,
  };
  writeFileSync(`${app}.json`, JSON.stringify({ compilerOptions, files: [`${app}.ts`] }));
  try {
    return execFileSync(process.execPath, [tsc, '-p', `${app}.json`], { cwd: root, encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

const ours = (said: string): string[] => said.split('\n').filter((line) => /error TS/.test(line));

describe('types of the entries', () => {
  it.each([
    ['frame-deadline', ['browser']],
    ['frame-deadline/web', []],
  ])('%s (%s) compiles in a page without Node types', (name, conditions) => {
    const source = `${USE.replace('NAME', name)}
      void createScheduler({ workerUrl: '/w.js', lanes: {} });
      document.title = 'x';
      // @ts-expect-error there is no Node here
      void process.pid;`;
    expect(ours(compile('page', ['dom'], [], conditions, source))).toEqual([]);
  });

  it('frame-deadline/web, web-audio and vite-client compile together in a page without Node types', () => {
    const source = `${USE.replace('NAME', 'frame-deadline/web')}
      import { StreamRing } from 'frame-deadline/web';
      import { createPlaybackNode } from 'frame-deadline/web-audio';
      import { reloadOnSave } from 'frame-deadline/vite-client';
      const ring = StreamRing.allocate({ kind: 'f32', channels: 2, capacitySampleFrames: 1024 });
      (await createPlaybackNode(new AudioContext(), ring)).node.disconnect();
      reloadOnSave(scheduler, undefined);`;
    expect(ours(compile('page-parts', ['dom'], [], [], source))).toEqual([]);
  });

  it('frame-deadline compiles on Node without the DOM', () => {
    const source = `${USE.replace('NAME', 'frame-deadline')}
      // @ts-expect-error an option of browsers
      void createScheduler({ workerUrl: '/w.js', lanes: {} });
      void process.pid;
      // @ts-expect-error there is no DOM here
      document.title = 'x';`;
    expect(ours(compile('node', [], ['node'], [], source))).toEqual([]);
  });
});
