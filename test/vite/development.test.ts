import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, CHROMIUM_FLAGS } from '../chromium.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUNDLERS = join(ROOT, 'test/bundlers/package.json');

/** Vite's entry for Node.js: the one that the bundlers' tests install, else the test runner's. */
function viteOf(): string | null {
  try {
    return join(dirname(createRequire(BUNDLERS).resolve('vite/package.json')), 'dist/node/index.js');
  } catch {
    return null;
  }
}

const VITE = viteOf();
if (VITE === null) console.warn('SKIPPED: reload on save with Vite, it is not installed (npm ci)');
if (CHROMIUM === undefined)
  console.warn('SKIPPED: reload on save with Vite, no Chromium is here (apt-get install chromium)');

interface ViteServer {
  listen(): Promise<unknown>;
  close(): Promise<void>;
  readonly resolvedUrls: { readonly local: readonly string[] };
}

const TASKS = (factor: string) => `import { f64, task } from 'frame-deadline';
import { OFFSET } from './offset.js';
interface Unused { readonly typescript: true }
export const scale = task({
  input: { x: f64 }, output: { y: f64 },
  run(input, output) { const factor: number = ${factor}; output.y = input.x * factor + OFFSET; },
});
export type { Unused };
`;
const MAIN = `import { createScheduler } from 'frame-deadline';
import { reloadOnSave } from 'frame-deadline/vite-client';
const scheduler = await createScheduler<{ render: typeof import('./render.tasks.js') }>({
  lanes: { render: { tasks: new URL('./render.tasks.js', import.meta.url), load: () => import('./render.tasks.js') } },
  workers: [{ lanes: ['render'] }],
});
const told: string[] = [];
reloadOnSave(scheduler, import.meta.hot, {
  onReload: (result) => told.push('reloaded ' + result.lanes.join(' ')),
  onError: (error) => told.push(error.message),
});
const scaled = async (x: number) => {
  const job = scheduler.submit(scheduler.lanes.render.scale, { x }, { deadlineMs: 10_000 });
  await job.done;
  return job.output.y;
};
Object.assign(globalThis, { scaled, told, born: Math.random() });
`;

describe.skipIf(VITE === null || CHROMIUM === undefined)('Vite in development', () => {
  let folder = '';
  let server: ViteServer;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'fd-vite-'));
    mkdirSync(join(folder, 'src'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules/frame-deadline'));
    write('index.html', '<!doctype html><html lang="en"><script type="module" src="/src/main.ts"></script></html>');
    write('src/main.ts', MAIN);
    write('src/offset.ts', 'export const OFFSET: number = 0;\n');
    write('src/render.tasks.ts', TASKS('2'));
    const { createServer } = (await import(pathToFileURL(VITE!).href)) as {
      createServer: (config: unknown) => Promise<ViteServer>;
    };
    const { frameDeadline } = await import('../../src/vite/index.js');
    server = await createServer({
      root: folder,
      configFile: false,
      logLevel: 'error',
      plugins: [frameDeadline()],
      // the package lies outside of the folder here
      server: { host: '127.0.0.1', port: 0, fs: { strict: false } },
    });
    await server.listen();
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: CHROMIUM_FLAGS });
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().includes('404')) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(server.resolvedUrls.local[0]!);
    // the first start may find packages to optimise, and then Vite reloads the page
    for (let i = 0; i < 2; i++) {
      await page.waitForFunction(() => 'scaled' in globalThis, null, { timeout: 30_000 });
      await new Promise((done) => setTimeout(done, 1000));
    }
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  });

  const scaled = (x: number) =>
    page.evaluate((of) => (globalThis as unknown as { scaled: (x: number) => Promise<number> }).scaled(of), x);
  const born = () => page.evaluate(() => (globalThis as unknown as { born: number }).born);
  const told = async (count: number) => {
    await page.waitForFunction((n) => (globalThis as unknown as { told: string[] }).told.length >= n, count);
    return page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
  };

  it('serves TypeScript task modules to isolated pages, and reloads them on save without reloading the page', async () => {
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(await scaled(21)).toBe(42);
    const first = await born();
    write('src/render.tasks.ts', TASKS('3'));
    expect(await told(1)).toEqual(['reloaded render']);
    expect(await scaled(21)).toBe(63);
    // what it imports
    write('src/offset.ts', 'export const OFFSET: number = 100;\n');
    expect(await told(2)).toEqual(['reloaded render', 'reloaded render']);
    expect(await scaled(21)).toBe(163);
    // another field: refused with words, the old code stays
    write('src/render.tasks.ts', TASKS('4').replace('input: { x: f64 }', 'input: { x: f64, z: f64 }'));
    expect((await told(3))[2]).toMatch(/another input of task scale: \{ x: f64, z: f64 \}, \{ x: f64 \} expected/);
    expect(await scaled(21)).toBe(163);
    write('src/render.tasks.ts', TASKS('5'));
    expect((await told(4))[3]).toBe('reloaded render');
    expect(await scaled(21)).toBe(205);
    expect(await born(), 'the page is the same').toBe(first);
    expect(complaints).toEqual([]);
  });
});
