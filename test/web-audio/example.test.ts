import { decode } from 'fast-png';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveExamples } from '../../examples/web-server.js';
import { AUDIO_FLAGS, CHROMIUM } from '../chromium.js';

/** The page's policy forbids Playwright to wait in it for what is given as text. */
const PATIENTLY = { timeout: 20_000, interval: 50 };

if (CHROMIUM === undefined)
  console.warn('SKIPPED: the web examples are not run in a browser, no Chromium is here (apt-get install chromium)');

describe.skipIf(CHROMIUM === undefined)('examples in a browser', () => {
  let browser: Browser;
  let served: { url: string; close(): void };

  beforeAll(async () => {
    served = await serveExamples();
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: AUDIO_FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
    served?.close();
  });

  async function open(name: string): Promise<{ page: Page; complaints: string[] }> {
    const complaints: string[] = [];
    const page = await browser.newPage({ viewport: { width: 640, height: 640 } });
    page.on('console', (message) => complaints.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 400 && !response.url().endsWith('favicon.ico')) complaints.push(response.url());
    });
    await page.goto(`${served.url}examples/${name}/`);
    return { page, complaints };
  }
  const numberIn = async (page: Page, id: string) => Number.parseFloat((await page.textContent(id)) ?? '');

  it('web-audio: a key is heard, deeper is later, a stall is one xrun more', async () => {
    const { page, complaints } = await open('web-audio');
    await page.click('#start');
    await page.waitForSelector('#key:enabled');
    const latencies: number[] = [];
    for (const depth of [2048, 8192]) {
      await page.locator('#depth').fill(String(depth));
      await page.waitForTimeout(500);
      const shown = await page.textContent('#latency');
      await page.press('#key', 'Space', { delay: 400 });
      await expect.poll(() => page.textContent('#latency'), PATIENTLY).not.toBe(shown);
      latencies.push(await numberIn(page, '#latency'));
    }
    console.info('event to sound', latencies);
    // 6144 sample frames more are 128 ms at 48 kHz
    expect(latencies[1]! - latencies[0]!).toBeGreaterThan(60);
    await page.locator('#depth').fill('2048');
    await page.waitForTimeout(500);
    const before = await numberIn(page, '#xruns');
    await page.click('#stall');
    await expect.poll(() => numberIn(page, '#xruns'), PATIENTLY).toBeGreaterThan(before);
    expect(complaints).toEqual([]);
    expect(await page.textContent('#message')).toBe('');
    await page.close();
  });

  it('web-canvas: what the lanes drew is on both canvases, at the pointer', async () => {
    const { page, complaints } = await open('web-canvas');
    await page.click('#start');
    const frames = () => numberIn(page, '#frames');
    await expect.poll(frames, PATIENTLY).toBeGreaterThan(3);
    for (const id of ['#drawn', '#shaded']) {
      const box = (await page.locator(id).boundingBox())!;
      for (let i = 0; i <= 20; i++) await page.mouse.move(box.x + box.width * (0.3 + i / 50), box.y + box.height / 2);
    }
    await expect.poll(() => numberIn(page, '#events'), PATIENTLY).toBeGreaterThanOrEqual(42);
    const before = await frames();
    await expect.poll(frames, PATIENTLY).toBeGreaterThan(before + 3);
    // the trail ends at 0.7 across and half down; far from it there is none
    const colourAt = async (id: string, x: number, y: number) => {
      const { data, width, height, channels } = decode(await page.locator(id).screenshot());
      const at = (Math.floor(y * height) * width + Math.floor(x * width)) * channels;
      return [...data.subarray(at, at + 3)].map(Number);
    };
    // hsl(... 90% 60%) against 40% 20%
    await expect.poll(async () => Math.max(...(await colourAt('#drawn', 0.7, 0.5))), PATIENTLY).toBeGreaterThan(200);
    expect(Math.max(...(await colourAt('#drawn', 0.5, 0.9)))).toBeLessThan(100);
    // red falls with the distance
    expect((await colourAt('#shaded', 0.7, 0.5))[0]).toBeGreaterThan(240);
    expect((await colourAt('#shaded', 0.05, 0.95))[0]).toBeLessThan(80);
    expect(await page.textContent('#events')).toMatch(/, 0 lost$/);
    expect(await page.textContent('#latency')).toMatch(/ms to putImageData$/);
    expect(await page.textContent('#message')).toBe('');
    expect(complaints).toEqual([]);
    await page.close();
  });
});
