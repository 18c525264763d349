import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, CHROMIUM_FLAGS } from '../chromium.js';
import { buildPage, headersOf, startApp } from './example.js';
import { createFakeElectron } from './fake-electron.js';
import { connectPage } from './page-ipc.js';

const PATIENTLY = { timeout: 30_000, interval: 50 };

if (CHROMIUM === undefined)
  console.warn('SKIPPED: the page of examples/electron is not run, no Chromium is here (apt-get install chromium)');

/** The page in a real Chromium, its main process in this one: what Electron's scheme would answer is served over HTTP. */
describe.skipIf(CHROMIUM === undefined)('the page of examples/electron', () => {
  const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-electron-page-'));
  const { electron, control } = createFakeElectron();
  const complaints: string[] = [];
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    await buildPage(folder);
    const opened = startApp(electron, { pageFolder: folder });
    control.becomeReady();
    await opened;
    const answer = control.handlerOf('app')!;
    server = createServer(async ({ method, url }, response) => {
      const answered = await answer(new Request(`app://frame-deadline${url}`, { method: method! }));
      response.writeHead(answered.status, headersOf(answered));
      response.end(Buffer.from(await answered.arrayBuffer()));
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: CHROMIUM_FLAGS });
    page = await browser.newPage({ viewport: { width: 900, height: 700 } });
    page.on('console', (message) => complaints.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    await connectPage(page, control, readFileSync(control.windows[0]!.options.webPreferences!.preload!, 'utf8'));
    // Electron asks for none
    await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/index.html`);
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    electron.app.quit();
    await control.exit;
    rmSync(folder, { recursive: true });
  });

  /** Cells of a process: frames, dropped ticks, jobs on time, missed, last miss. */
  const cells = (process: string) => page.locator(`#${process} td`).allTextContents();
  const frames = async (process: string) => Number((await cells(process))[0]);

  it('is isolated, and runs its own scheduler on its own workers', async () => {
    expect(await page.evaluate(() => [crossOriginIsolated, typeof SharedArrayBuffer])).toEqual([true, 'function']);
    await expect.poll(() => frames('page'), PATIENTLY).toBeGreaterThan(30);
    const workers = page.workers().map((worker) => new URL(worker.url()).pathname);
    expect(workers).toContain('/web-supervisor.js');
    expect(workers).toContain('/web-worker.js');
    // what the workers drew has come to the canvas: no tile is of one colour
    const shades = () =>
      page.evaluate(() => {
        const canvas = document.getElementById('picture') as unknown as { getContext(kind: '2d'): never };
        const brush = canvas.getContext('2d') as { getImageData(...at: number[]): { data: Uint8ClampedArray } };
        const { data } = brush.getImageData(0, 0, 512, 64);
        const tiles = Array.from({ length: 8 }, () => new Set<number>());
        for (let i = 0; i < data.length; i += 4) tiles[((i / 4) % 512) >> 6]!.add(data[i]!);
        return tiles.map(({ size }) => size);
      });
    await expect.poll(async () => Math.min(...(await shades())), PATIENTLY).toBeGreaterThan(20);
  });

  it('shows the telemetry of main and utility process as it comes', async () => {
    for (const process of ['main', 'utility']) {
      await expect.poll(() => frames(process), PATIENTLY).toBeGreaterThan(10);
      const before = await frames(process);
      await expect.poll(() => frames(process), PATIENTLY).toBeGreaterThan(before);
    }
    await page.uncheck('#listen-main');
    await page.waitForTimeout(400);
    const [main, utility] = [await frames('main'), await frames('utility')];
    await expect.poll(() => frames('utility'), PATIENTLY).toBeGreaterThan(utility);
    expect(await frames('main')).toBe(main);
    await page.check('#listen-main');
    await expect.poll(() => frames('main'), PATIENTLY).toBeGreaterThan(main);
  });

  it('asks main for everything that it measured', async () => {
    await page.click('#save');
    await expect.poll(() => page.textContent('#report'), PATIENTLY).toContain('"runtime": "Node.js');
    expect(JSON.parse((await page.textContent('#report'))!).lanes[0].name).toBe('audio');
  });

  it('listens to the utility process that replaces a dead one', async () => {
    control.children.at(-1)!.child.kill('SIGKILL');
    await expect.poll(() => page.textContent('#message'), PATIENTLY).toBe('the utility process has ended');
    await expect.poll(() => control.children[1]?.sentToPorts ?? 0, PATIENTLY).toBeGreaterThan(2);
    const before = await frames('utility');
    await expect.poll(() => frames('utility'), PATIENTLY).toBeGreaterThan(before);
  });

  it('needs nothing that its policy forbids, and the policy holds', async () => {
    expect(complaints).toEqual([]);
    const got = await page.evaluate(async () => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.inlined = true';
      document.head.append(script);
      const blob = URL.createObjectURL(new Blob(['postMessage(1)'], { type: 'text/javascript' }));
      const worker = await new Promise((resolve) => {
        try {
          const made = new Worker(blob);
          made.onmessage = () => resolve('ran');
          made.onerror = () => resolve('refused');
        } catch {
          resolve('refused');
        }
      });
      const fetched = await fetch('https://example.org/').then(
        () => 'fetched',
        () => 'refused',
      );
      return { inlined: 'inlined' in globalThis, worker, fetched, node: typeof (globalThis as never)['require'] };
    });
    expect(got).toEqual({ inlined: false, worker: 'refused', fetched: 'refused', node: 'undefined' });
    expect(complaints.filter((text) => /Content Security Policy/.test(text)).length).toBeGreaterThanOrEqual(3);
  });
});
