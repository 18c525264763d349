import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildDemoWeb } from '../../examples/web-demo/build.js';
import { ISOLATION, POLICY } from '../../examples/web-demo/headers.js';
import { serveFolder } from '../../examples/web-server.js';
import { AUDIO_FLAGS, CHROMIUM } from '../chromium.js';
import { contrastProblems, namingProblems } from './accessibility.js';

/** The page's policy forbids Playwright to wait in it for what is given as text. */
const PATIENTLY = { timeout: 25_000, interval: 100 };
const SIZES = [
  [360, 740],
  [768, 1024],
  [1440, 900],
] as const;
/** Where the pictures are kept to be looked at; none without it. */
const SCREENSHOTS = process.env['FRAME_DEADLINE_SCREENSHOTS'];

let folder: string;
beforeAll(async () => {
  folder = await buildDemoWeb(mkdtempSync(join(tmpdir(), 'demo-web-')));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the static build', () => {
  it('names the headers that it must be served with', () => {
    const headers = readFileSync(join(folder, '_headers'), 'utf8');
    for (const [name, value] of Object.entries({ ...ISOLATION, ...POLICY }))
      expect(headers).toContain(`${name}: ${value}`);
  });

  it('holds no address of another host, no eval, no inline script or style', () => {
    const markup = readFileSync(join(folder, 'index.html'), 'utf8');
    expect(markup).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    for (const name of readdirSync(folder)) {
      const text = readFileSync(join(folder, name), 'utf8').replaceAll('http://www.w3.org/2000/svg', '');
      expect(text, name).not.toMatch(/https?:\/\/|\beval\(|new Function\(|\bblob:|import ['"][a-z]|from ?['"][a-z]/);
    }
  });

  it('is served with its headers, and nothing beside it', async () => {
    const { url, close } = await serveFolder(folder, { ...ISOLATION, ...POLICY }, 0);
    // `fetch` would take the dots away
    const get = (path: string, method = 'GET') =>
      new Promise<{ status: number; headers: Record<string, unknown> }>((resolve, reject) => {
        const { hostname, port } = new URL(url);
        request({ hostname, port, path, method }, (response) => {
          response.resume();
          resolve({ status: response.statusCode!, headers: response.headers });
        })
          .on('error', reject)
          .end();
      });
    try {
      for (const path of ['/', '/index.html', '/page.js?x=1', '/style.css', '/worklet.js']) {
        const { status, headers } = await get(path);
        expect([path, status]).toEqual([path, 200]);
        expect(headers).toMatchObject({
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-embedder-policy': 'require-corp',
          'content-security-policy': POLICY['Content-Security-Policy'],
        });
      }
      for (const path of [
        '/../package.json',
        '/..%2fpackage.json',
        '/%2e%2e/%2e%2e/etc/passwd',
        '//etc/passwd',
        '/..\\package.json',
        '/%00',
        '/%',
        '/nothing.js',
      ]) {
        expect([path, (await get(path)).status]).toEqual([path, 404]);
      }
      expect((await get('/', 'POST')).status).toBe(405);
    } finally {
      close();
    }
  });
});

if (CHROMIUM === undefined)
  console.warn('SKIPPED: the demo as a page is not run, no Chromium is here (apt-get install chromium)');

describe.skipIf(CHROMIUM === undefined)('the demo as a page', () => {
  let browser: Browser;
  let isolated: { url: string; close(): void };
  let plain: { url: string; close(): void };
  let context: BrowserContext | null = null;
  let complaints: string[];

  beforeAll(async () => {
    isolated = await serveFolder(folder, { ...ISOLATION, ...POLICY }, 0);
    plain = await serveFolder(folder, POLICY, 0);
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: AUDIO_FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
    isolated?.close();
    plain?.close();
  });
  afterEach(async () => {
    await context?.close();
    context = null;
  });

  async function open(url: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    complaints = [];
    context = await browser.newContext(options);
    const page = await context.newPage();
    page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) complaints.push(`request: ${request.url()}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`);
    });
    await page.goto(url);
    await page.waitForSelector('#run:enabled');
    return page;
  }
  const text = async (page: Page, selector: string) => (await page.textContent(selector)) ?? '';
  const ticks = async (page: Page) => Number((await text(page, '#missed')).split(' of ')[1]?.replace(/\D/g, '') ?? 0);

  /** Lets the test hear what goes to the device: the largest sample of the last moment. */
  async function listen(page: Page): Promise<() => Promise<number>> {
    await page.evaluate(() => {
      const { connect } = AudioNode.prototype;
      AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]) {
        if (to[0] instanceof AudioDestinationNode) {
          const ear = new AnalyserNode(this.context, { fftSize: 8192 });
          Object.assign(globalThis, { ear });
          Reflect.apply(connect, this, [ear]);
        }
        return Reflect.apply(connect, this, to);
      } as typeof connect;
    });
    return () =>
      page.evaluate(() => {
        const { ear } = globalThis as { ear?: AnalyserNode };
        const samples = new Float32Array(8192);
        ear?.getFloatTimeDomainData(samples);
        return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
      });
  }

  async function framesAdvance(page: Page): Promise<void> {
    await expect.poll(() => ticks(page), PATIENTLY).toBeGreaterThan(0);
    const before = await ticks(page);
    await expect.poll(() => ticks(page), PATIENTLY).toBeGreaterThan(before + 10);
  }
  /** Presses a button until it is told what came of it: on a busy machine something else may be larger the first time. */
  async function named(page: Page, id: string, press: () => Promise<void>): Promise<string> {
    await press();
    await expect
      .poll(
        async () => {
          if ((await text(page, `#verdict-${id}`)).startsWith('No such miss')) await press();
          return causeNamed(page, id);
        },
        { timeout: 45_000, interval: 100, message: `what ${id} provokes` },
      )
      .not.toBeNull();
    return (await causeNamed(page, id))!;
  }
  const causeNamed = (page: Page, id: string) => page.locator(`#verdict-${id}`).getAttribute('data-cause');

  it('runs with sound, and names every miss that is provoked', { timeout: 180_000 }, async () => {
    const page = await open(isolated.url, { viewport: { width: 1440, height: 900 } });
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    expect(await page.isVisible('#isolation')).toBe(false);
    const heard = await listen(page);
    await page.click('#sound');
    await expect.poll(heard, PATIENTLY).toBeGreaterThan(0.01);
    await page.locator('#volume').fill('0');
    await expect.poll(heard, PATIENTLY).toBeLessThan(0.001);
    await page.locator('#volume').fill('60');
    await expect.poll(() => text(page, '#path'), PATIENTLY).toMatch(/ ms$/);
    await framesAdvance(page);
    // what moves over the picture is shown in it
    const box = (await page.locator('#picture').boundingBox())!;
    for (let i = 0; i < 20; i++) await page.mouse.move(box.x + 200 + i * 10, box.y + 100);
    await expect.poll(() => text(page, '#latency'), PATIENTLY).toMatch(/s$/);
    const expected = {
      overrun: ['overrun'],
      waiting: ['waitingBehind'],
      'late-submit': ['lateSubmit'],
      callback: ['waitingBehind'],
      stall: ['wakeup'],
      audio: ['overrun'],
      // whatever this machine makes of it: there is no signal for collections
      litter: ['overrun', 'waitingBehind', 'wakeup', 'lateSubmit'],
      crash: ['crashed'],
      hang: ['hung'],
    };
    for (const [id, causes] of Object.entries(expected)) {
      const cause = await named(page, id, () => page.click(`#provoke-${id}`));
      expect([id, causes]).toEqual([id, expect.arrayContaining([cause])]);
    }
    expect(await text(page, '#verdict-waiting')).toContain('render.bake');
    expect(await text(page, '#verdict-late-submit')).toContain('the main thread (frame callback)');
    expect(await text(page, '#verdict-callback')).toContain('the main thread (frame callback)');
    expect(await text(page, '#verdict-stall')).toContain('the main thread (event loop)');
    // the device found nothing for a quarter of a second
    expect(Number(await text(page, '#xruns'))).toBeGreaterThan(0);
    // it goes on after all that, and the views say the same
    await framesAdvance(page);
    expect(await page.locator('#miss-list .miss').count()).toBeGreaterThan(0);
    const shown = await page.locator('#cause-bars .c-hung .count').textContent();
    expect(Number(shown)).toBeGreaterThan(0);
    expect(await page.isVisible('#message')).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('works by keyboard alone', async () => {
    const page = await open(isolated.url);
    await framesAdvance(page);
    const isOn = (id: string) => page.getAttribute(`#${id}`, 'data-on');
    await page.keyboard.press('m');
    await expect.poll(() => isOn('sound'), PATIENTLY).toBe('true');
    expect(await named(page, 'overrun', () => page.keyboard.press('1'))).toBe('overrun');
    await expect.poll(() => text(page, '#announcer'), PATIENTLY).not.toBe('');
    await page.keyboard.press('Space');
    expect(await isOn('run')).toBe('false');
    const still = await ticks(page);
    await page.keyboard.press('2');
    expect(await text(page, '#verdict-waiting')).toContain('paused');
    await page.keyboard.press('Space');
    await expect.poll(() => ticks(page), PATIENTLY).toBeGreaterThan(still + 10);
    // every control is reached in turn, and seen to be
    const reached = new Set<string>();
    await page.locator('.skip').focus();
    for (let n = 0; n < 40; n++) {
      const { id, outline } = await page.evaluate(() => {
        const active = document.activeElement!;
        return { id: active.id, outline: getComputedStyle(active).outlineStyle };
      });
      if (id !== '') {
        reached.add(id);
        expect([id, outline]).not.toEqual([id, 'none']);
      }
      await page.keyboard.press('Tab');
    }
    const controls = await page
      .locator('button:enabled, input:enabled, [tabindex="0"]')
      .evaluateAll((elements) => elements.map(({ id }) => id));
    expect(controls.length).toBeGreaterThan(15);
    for (const id of controls) expect(reached).toContain(id);
    // the arrow keys move the light, and it comes to the picture
    const shown = await text(page, '#latency');
    await page.locator('#instrument').focus();
    for (let n = 0; n < 5; n++) await page.keyboard.press('ArrowLeft');
    await expect.poll(() => text(page, '#latency'), PATIENTLY).not.toBe(shown);
    // single keys can be switched off
    await page.locator('#shortcuts').uncheck();
    await page.locator('#provoke-title').click();
    await page.keyboard.press('m');
    expect(await isOn('sound')).toBe('true');
    expect(complaints).toEqual([]);
  });

  it('without isolation says what is missing, and runs inline', { timeout: 120_000 }, async () => {
    const page = await open(plain.url);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
    const words = await text(page, '#isolation');
    for (const [name, value] of Object.entries(ISOLATION)) expect(words).toContain(`${name}: ${value}`);
    expect(words).toContain("mode: 'inline'");
    await framesAdvance(page);
    expect(await page.isEnabled('#sound')).toBe(false);
    for (const id of ['crash', 'hang', 'crowd']) expect(await page.isEnabled(`#provoke-${id}`)).toBe(false);
    for (const [id, cause] of [
      ['overrun', 'overrun'],
      ['callback', 'waitingBehind'],
      ['stall', 'wakeup'],
    ] as const) {
      expect([id, await named(page, id, () => page.click(`#provoke-${id}`))]).toEqual([id, cause]);
    }
    expect(await page.isVisible('#message')).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('starts nothing that moves where less motion is asked for', async () => {
    const page = await open(isolated.url, { reducedMotion: 'reduce' });
    await expect.poll(() => text(page, '#run .label')).toBe('Run');
    await page.waitForTimeout(500);
    expect(await ticks(page)).toBe(0);
    await page.click('#run');
    await framesAdvance(page);
  });

  it('is legible and fits at every size, in light and dark', async () => {
    const page = await open(isolated.url);
    await framesAdvance(page);
    expect(await named(page, 'overrun', () => page.click('#provoke-overrun'))).toBe('overrun');
    // without shades on their way from one colour to another
    await page.emulateMedia({ reducedMotion: 'reduce' });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [width, height] of SIZES) {
        await page.setViewportSize({ width, height });
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        // fingers need room
        const small = await page
          .locator('button, input[type="range"]')
          .evaluateAll((elements) =>
            elements.filter((one) => one.getBoundingClientRect().height < 24).map(({ id }) => id),
          );
        expect(small).toEqual([]);
        if (SCREENSHOTS === undefined) continue;
        const path = join(SCREENSHOTS, `${width}x${height}-${colorScheme}`);
        await page.evaluate(() => scrollTo(0, 0));
        await page.screenshot({ path: `${path}.png` });
        await page.screenshot({ path: `${path}-full.png`, fullPage: true });
      }
      expect([colorScheme, await contrastProblems(page)]).toEqual([colorScheme, []]);
    }
    expect(await namingProblems(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
