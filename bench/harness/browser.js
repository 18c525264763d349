import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { rolldown } from 'rolldown';

/** Debian's and others' names; FRAME_DEADLINE_CHROMIUM names another. Undefined where there is none. */
const CHROMIUM = [
  process.env.FRAME_DEADLINE_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
const PAGE = '<!doctype html><html lang="en"><title>bench</title><script type="module" src="/page.js"></script></html>';
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Content-Security-Policy': "default-src 'none'; connect-src 'self'; script-src 'self'; worker-src 'self'",
};

export const NO_CHROMIUM = 'SKIPPED: no Chromium is here (apt-get install chromium, or FRAME_DEADLINE_CHROMIUM=PATH)';
export const hasChromium = () => CHROMIUM !== undefined;

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/**
 * A cross-origin isolated page of headless Chromium with the bundled modules `entries` (name to file), one of which is
 * `page`. `run(name, options)` calls what that has put on `globalThis.bench`; `helpersCpuMs()` tells the browser's CPU
 * time, `close()` ends it.
 */
export async function openPage(entries) {
  const files = await bundle(entries);
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://x').pathname;
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const code = files.get(path.slice(1));
    if (path !== '/' && code === undefined) response.statusCode = 404;
    response.setHeader('Content-Type', path === '/' ? 'text/html' : 'text/javascript');
    response.end(path === '/' ? PAGE : code);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const cdp = await browser.newBrowserCDPSession();
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error.message));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => 'bench' in globalThis);
  return {
    version: browser.version(),
    run: (name, options) => page.evaluate(([what, given]) => globalThis.bench[what](given), [name, options]),
    async helpersCpuMs() {
      const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
      return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime * 1000, 0);
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

async function bundle(entries) {
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, at(file)])),
    platform: 'browser',
    resolve: {
      alias: {
        'frame-deadline': at('dist/web.js'),
        comlink: at('bench/rivals/node_modules/comlink/dist/esm/comlink.mjs'),
      },
    },
    // hdr-histogram-js has an eval that nobody calls
    checks: { eval: false },
  });
  const { output } = await build.generate({
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
  });
  await build.close();
  return new Map(output.map((chunk) => [chunk.fileName, chunk.type === 'chunk' ? chunk.code : chunk.source]));
}

/** The version of a package that a bench compares with. */
export function rivalVersion(name) {
  const manifest = at(`bench/rivals/node_modules/${name}/package.json`);
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : null;
}
