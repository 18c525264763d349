import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHROMIUM, CHROMIUM_FLAGS } from '../chromium.js';
import { type Served, serveRepository } from './browser.js';

if (CHROMIUM === undefined)
  console.warn('SKIPPED: reload is not run in a browser, no Chromium is here (apt-get install chromium)');

/** What a page that reloads tells. */
interface Seen {
  readonly versions: readonly number[];
  readonly mixed: number;
  readonly frames: number;
  readonly lost: number;
  readonly errors: readonly string[];
  readonly workers: readonly string[];
}

const source = (version: number, more = '') => `import { task, u32 } from '/dist/web.js';
import { WEIGHT } from './weight.js?${version}';
export const stamp = task({ input: { us: u32 }, output: { version: u32 }, run(input, output) {
  const end = performance.now() + input.us / 1000;
  while (performance.now() < end);
  output.version = ${version} * WEIGHT;
} });
${more}`;

describe.skipIf(CHROMIUM === undefined)('reload in a browser', () => {
  let browser: Browser;
  let served: Served;
  let server: Server;
  let page: Page;
  let origin = '';
  let version = 1;
  let more = '';

  beforeAll(async () => {
    served = await serveRepository();
    // the repository, and a task module that changes and that browsers may keep for an hour
    server = createServer(async (request, response) => {
      const path = request.url!;
      if (path === '/now') {
        const { searchParams } = new URL(request.headers['x-set'] as string, 'http://x');
        version = Number(searchParams.get('version'));
        more = searchParams.get('more') ?? '';
        response.end();
        return;
      }
      if (path.startsWith('/hot/')) {
        response.setHeader('Content-Type', 'text/javascript');
        response.setHeader('Cache-Control', 'max-age=3600');
        response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp');
        response.end(path.startsWith('/hot/weight') ? 'export const WEIGHT = 1;' : source(version, more));
        return;
      }
      const of = await fetch(new URL(path, served.isolated));
      response.statusCode = of.status;
      of.headers.forEach((value, name) => {
        if (name !== 'content-length' && name !== 'transfer-encoding') response.setHeader(name, value);
      });
      response.end(Buffer.from(await of.arrayBuffer()));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: CHROMIUM_FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    served?.close();
  });
  beforeEach(async () => {
    version = 1;
    more = '';
    page = await browser.newPage();
    await page.goto(origin);
  });

  it('switches between frames while a loop runs, refuses what is broken, and leaves no worker', async () => {
    await page.addScriptTag({ type: 'module', url: '/test/web/page/reload.js' });
    await page.waitForFunction(() => 'reloadTest' in globalThis);
    const seen = await page.evaluate(() => (globalThis as unknown as { reloadTest: () => Promise<Seen> }).reloadTest());
    expect(seen.versions).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(seen.mixed).toBe(0);
    expect(seen.lost).toBe(0);
    expect(seen.errors).toEqual(['TASK_MODULE_FAILED', 'TASK_MODULE_FAILED', 'WORKER_DIED']);
    expect(seen.workers).toEqual(['render-0', 'render-1']);
    for (let i = 0; i < 500 && page.workers().length > 0; i++) await new Promise((done) => setTimeout(done, 10));
    expect(page.workers().map((worker) => worker.url())).toEqual([]);
  });
});
