import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APP_SCHEME, HEADERS, headersOf, isOurPage, PAGE_URL, serveFolder } from './example.js';

const SECRET = 'outside of the folder';

describe('the app:// scheme', () => {
  let folder = '';
  let serve: (request: Request) => Promise<Response>;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'frame-deadline-scheme-'));
    mkdirSync(join(folder, 'page', 'sub'), { recursive: true });
    writeFileSync(join(folder, 'page/index.html'), '<!doctype html>');
    writeFileSync(join(folder, 'page/sub/a.tasks.js'), 'export {};');
    writeFileSync(join(folder, 'page/.env.js'), SECRET);
    writeFileSync(join(folder, 'page/secret.key'), SECRET);
    mkdirSync(join(folder, 'page/folder.js'));
    writeFileSync(join(folder, 'secret.js'), SECRET);
    mkdirSync(join(folder, 'page2'));
    writeFileSync(join(folder, 'page2/secret.js'), SECRET);
    symlinkSync('../secret.js', join(folder, 'page/link.js'));
    symlinkSync('../page2', join(folder, 'page/linked'));
    symlinkSync('index.html', join(folder, 'page/inside.html'));
    serve = serveFolder(join(folder, 'page'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const get = (url: string, init?: RequestInit) => serve(new Request(url, init));

  it('is registered as standard and secure, and cannot be read by other origins', () => {
    expect(APP_SCHEME).toEqual({
      scheme: 'app',
      privileges: { standard: true, secure: true, supportFetchAPI: true },
    });
  });

  it('serves files of the folder with the headers of an isolated page', async () => {
    const page = await get(PAGE_URL);
    expect([page.status, await page.text()]).toEqual([200, '<!doctype html>']);
    expect(headersOf(page)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    const module = await get('app://frame-deadline/sub/a.tasks.js?v=1#x');
    expect([module.headers.get('content-type'), await module.text()]).toEqual([
      'text/javascript; charset=utf-8',
      'export {};',
    ]);
    expect(await (await get('app://frame-deadline/inside.html')).text()).toBe('<!doctype html>');
    const head = await get(PAGE_URL, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('allows scripts and workers of its own origin only: no eval, no blob:, nothing inline', () => {
    const policy = HEADERS['Content-Security-Policy'];
    expect(policy).toMatch(/default-src 'none'/);
    expect(policy).not.toMatch(/unsafe|blob:|data:|\*|https?:/);
  });

  it.each([
    'app://frame-deadline/../secret.js',
    'app://frame-deadline/%2e%2e/secret.js',
    'app://frame-deadline/..%2fsecret.js',
    'app://frame-deadline/..%5csecret.js',
    'app://frame-deadline/..\\secret.js',
    'app://frame-deadline/sub/..%2f..%2fsecret.js',
    'app://frame-deadline/%252e%252e/secret.js',
    'app://frame-deadline//secret.js',
    'app://frame-deadline/C:/secret.js',
    'app://frame-deadline/index.html::$DATA',
    'app://frame-deadline/index.html%00.js',
    'app://frame-deadline/link.js',
    'app://frame-deadline/linked/secret.js',
    'app://frame-deadline/../page2/secret.js',
    'app://frame-deadline/.env.js',
    'app://frame-deadline/secret.key',
    'app://frame-deadline/folder.js',
    'app://frame-deadline/missing.js',
    'app://frame-deadline/index.html/a.js',
    `app://frame-deadline/${'a'.repeat(5000)}.js`,
    'app://frame-deadline/',
    'app://other/index.html',
    'app://frame-deadline:1/index.html',
    'file:///etc/hostname',
  ])('refuses %s', async (url) => {
    const { status, headers } = await get(url);
    expect(status).toBe(404);
    // an error without them could be framed or read by others
    for (const [name, value] of Object.entries(HEADERS)) expect(headers.get(name)).toBe(value);
  });

  it('refuses all methods but GET and HEAD', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await get(PAGE_URL, { method });
      expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    }
  });

  it('never gives what lies outside, however the path is put together', async () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '',
      '%2e%2e',
      '%2f',
      '%5c',
      '\\',
      'sub',
      'page',
      'page2',
      'secret.js',
      '%00',
    );
    const seed = Date.now();
    console.info('seed', seed);
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 8 }),
        fc.constantFrom('/', '%2f', '\\', '%5c'),
        async (parts, by) => {
          const answer = await get(`app://frame-deadline/${parts.join(by)}`);
          expect(await answer.text()).not.toContain(SECRET);
        },
      ),
      { seed, numRuns: 500 },
    );
  });

  it('knows its own page', () => {
    expect(isOurPage(PAGE_URL)).toBe(true);
    expect(isOurPage(`${PAGE_URL}?a#b`)).toBe(true);
    for (const url of [
      'app://frame-deadline/other.html',
      'app://frame-deadline.example/index.html',
      'https://frame-deadline/index.html',
      'app://x@frame-deadline.example/index.html',
      'about:blank',
      'file:///index.html',
      '',
    ]) {
      expect([url, isOurPage(url)]).toEqual([url, false]);
    }
  });
});
