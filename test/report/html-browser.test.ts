import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { htmlReport } from '../../src/report/html/html-report.js';
import { CHROMIUM, CHROMIUM_FLAGS } from '../chromium.js';
import { makeTelemetry } from './fixture.js';
import { HOSTILE_NAMES, withNames } from './hostile.js';

if (CHROMIUM === undefined)
  console.warn('SKIPPED: the report is not looked at in a browser, no Chromium is here (apt-get install chromium)');

describe.skipIf(CHROMIUM === undefined)('the report in a browser', () => {
  const telemetry = makeTelemetry(1);
  const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-report-'));
  const pages: Page[] = [];
  let browser: Browser;
  let complaints: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: CHROMIUM_FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(
    html: string,
    width: number,
    height: number,
    colorScheme: 'light' | 'dark' = 'light',
  ): Promise<Page> {
    complaints = [];
    const path = join(folder, `report-${pages.length}.html`);
    writeFileSync(path, html);
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    page.on('console', (message) => complaints.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(path).href) complaints.push(`request: ${request.url()}`);
    });
    page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
    await page.goto(pathToFileURL(path).href);
    pages.push(page);
    return page;
  }

  const html = htmlReport(telemetry);

  it.each([
    [360, 740],
    [768, 1024],
    [1440, 900],
  ])('%i px wide: no complaint, nothing loaded, no scrolling sideways, whatever is opened', async (width, height) => {
    const page = await open(html, width, height);
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.click('#open-all');
    expect(await page.locator('details.miss[open]').count()).toBe(telemetry.misses.length);
    expect(await overflow()).toBeLessThanOrEqual(0);
    for (let zoom = 0; zoom < 8; zoom++) await page.click('[data-zoom="2"]');
    expect(await overflow()).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('tables wider than a phone scroll in themselves', async () => {
    const page = await open(html, 360, 740);
    const boxes = await page
      .locator('.scroll')
      .evaluateAll((all) => all.map((box) => [box.scrollWidth, box.clientWidth] as const));
    expect(boxes.length).toBeGreaterThanOrEqual(5);
    expect(boxes.filter(([scroll, client]) => scroll > client).length).toBeGreaterThan(2);
    await page.close();
  });

  it('by keyboard: a miss opens, the plots are read out, Enter goes from a frame to its miss', async () => {
    const page = await open(html, 1440, 900);
    await page.locator('details.miss summary').nth(3).focus();
    await page.keyboard.press('Enter');
    const opened = page.locator('details.miss').nth(3);
    expect(await opened.getAttribute('open')).not.toBeNull();
    expect(await opened.locator('.segments').isVisible()).toBe(true);
    const output = page.locator('[data-frames] output');
    await page.locator('[data-frames] .pan').focus();
    await page.keyboard.press('Home');
    expect(await output.textContent()).toMatch(/^Frame 0, 0\.000 s: \d/);
    await page.keyboard.press('ArrowRight');
    expect(await output.textContent()).toMatch(/^Frame 1, 0\.017 s/);
    // each of the frames, as packed and unpacked, is what the telemetry says
    for (let n = 2; n < 25; n++) {
      await page.keyboard.press('ArrowRight');
      const frame = telemetry.frames[n]!;
      expect(await output.textContent()).toContain(
        `Frame ${frame.number}, ${(Math.round(frame.tickAtUs) / 1e6).toFixed(3)} s`,
      );
    }
    await page.keyboard.press('PageDown');
    const first = telemetry.frames.find((frame) => frame.misses > 0 || frame.outcome === 'dropped')!;
    expect(await output.textContent()).toContain(`Frame ${first.number},`);
    expect(await output.textContent()).toMatch(/Cause: overrun, render\.drawTiles \(Enter opens it\)/);
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.parentElement?.matches('details.miss[open]'))).toBe(true);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain(`frame ${first.number},`);
    await page.keyboard.press('Shift+Tab');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('percentiles: other lanes and metrics are shown, and read out', async () => {
    const page = await open(html, 768, 1024);
    const visible = () => page.locator('[data-percentiles]:visible').count();
    expect(await visible()).toBe(1);
    await page.selectOption('[data-view="lane"]', { label: 'lane render, by task' });
    await page.selectOption('[data-view="metric"]', 'executionUs');
    expect(await visible()).toBe(1);
    expect(await page.locator('[data-percentiles]:visible figcaption').textContent()).toContain(
      'execution time, lane render',
    );
    await page.locator('[data-percentiles]:visible .pan').focus();
    await page.keyboard.press('End');
    expect(await page.locator('#percentile-output').textContent()).toMatch(
      /drawTiles 27\.\d ms, composite –|composite 3\.\d+ ms/,
    );
    await page.locator('[data-percentiles]:visible .data').hover({ position: { x: 5, y: 20 } });
    expect(await page.locator('#percentile-output').textContent()).toMatch(/^\d+\.\d+ % are at most: drawTiles/);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('misses are filtered by cause', async () => {
    const page = await open(html, 768, 1024);
    await page.selectOption('#miss-filter', 'gc');
    const shown = await page.locator('details.miss:visible').count();
    expect(shown).toBe(telemetry.misses.filter((miss) => miss.cause === 'gc').length);
    expect(shown).toBeGreaterThan(0);
    await page.close();
  });

  it('light and dark differ, and both have the contrast that text needs', async () => {
    const looks = [];
    for (const scheme of ['light', 'dark'] as const) {
      const page = await open(html, 768, 1024, scheme);
      looks.push(
        await page.evaluate(() => {
          const channels = (colour: string) =>
            colour
              .match(/[\d.]+/g)!
              .slice(0, 3)
              .map(Number);
          // relative luminance (WCAG 2.2)
          const luminance = (colour: string) => {
            const [r, g, b] = channels(colour).map((c) =>
              c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4,
            );
            return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
          };
          const ground = getComputedStyle(document.body).backgroundColor;
          const texts = [
            '.verdict',
            '.note',
            'dt',
            'nav a',
            '.figure',
            '.over',
            'figcaption',
            'summary',
            'output',
            'td',
          ];
          const contrasts = texts.map((selector) => {
            const [low, high] = [
              luminance(getComputedStyle(document.querySelector(selector)!).color),
              luminance(ground),
            ].sort((a, b) => a - b);
            return [selector, (high! + 0.05) / (low! + 0.05)] as const;
          });
          return { ground, contrasts };
        }),
      );
      await page.close();
    }
    expect(looks[0]!.ground).not.toBe(looks[1]!.ground);
    for (const { contrasts } of looks)
      for (const [selector, ratio] of contrasts) expect(ratio, selector).toBeGreaterThan(4.5);
  });

  it('prints dark on white, also from a dark screen', async () => {
    const page = await open(html, 768, 1024, 'dark');
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const colours = await page.evaluate(() => [
      getComputedStyle(document.body).backgroundColor,
      getComputedStyle(document.body).color,
    ]);
    expect(colours).toEqual(['rgb(255, 255, 255)', 'rgb(28, 30, 33)']);
    expect(await page.locator('.tools:visible, nav:visible').count()).toBe(0);
    await page.close();
  });

  it.each(HOSTILE_NAMES)('no name becomes code or structure: %s', async (name) => {
    const page = await open(htmlReport(withNames(telemetry, name), { title: name, note: name }), 360, 740);
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(await page.locator('img, iframe, object, base, b script, [onload], [onerror], [onfocus]').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(2);
    expect(await page.locator('details.miss').count()).toBe(telemetry.misses.length);
    await page.locator('[data-frames] .pan').focus();
    await page.keyboard.press('PageDown');
    expect(await page.locator('[data-frames] output').textContent()).toContain('Enter opens it');
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('its policy keeps other scripts and styles from running', async () => {
    const page = await open(
      html.replace('</main>', '<script>window.hacked = 1</script><img src="x" onerror="window.hacked = 1"></main>'),
      360,
      740,
    );
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(complaints.join()).toMatch(/Content Security Policy/);
    await page.close();
  });

  it('without its script all figures are there', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.setContent(html);
    await page.locator('details.miss summary').first().click();
    expect(await page.locator('details.miss .segments').first().isVisible()).toBe(true);
    expect(await page.locator('#t-tasks').isVisible()).toBe(true);
    await context.close();
  });
});
