import { type Browser, type BrowserContext, chromium, type LaunchOptions, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { CHROMIUM, CHROMIUM_FLAGS } from '../chromium.js';
import { type Served, serveRepository } from './browser.js';

export const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

interface PageOptions {
  /** Module of `test/web/page/` that puts the tests into `globalThis.webTests`. */
  readonly script: string;
  /** Words of the console that are no fault. */
  readonly expected?: readonly string[];
  readonly launch?: LaunchOptions;
}

/** One browser for the tests of a file and a page for each; what a page complains of fails its test. */
export class TestPages {
  browser!: Browser;
  served!: Served;
  context!: BrowserContext;
  page!: Page;
  complaints: string[] = [];
  private readonly script: string;

  /** In a `describe`: it brings its hooks. */
  constructor({ script, expected = [], launch = {} }: PageOptions) {
    this.script = script;
    beforeAll(async () => {
      this.served = await serveRepository();
      this.browser = await chromium.launch({ executablePath: CHROMIUM!, args: CHROMIUM_FLAGS, ...launch });
      console.info(`Chromium ${this.browser.version()}`);
    });
    afterAll(async () => {
      await this.browser?.close();
      this.served?.close();
    });
    beforeEach(async () => {
      this.complaints = [];
      this.context = await this.browser.newContext();
      this.page = await this.context.newPage();
      this.page.on('console', (message) => {
        if (!expected.some((text) => message.text().includes(text))) this.complaints.push(`console: ${message.text()}`);
      });
      this.page.on('pageerror', (error) => this.complaints.push(`error: ${error.message}`));
    });
    afterEach(async () => {
      await this.context.close();
      expect(this.complaints).toEqual([]);
    });
  }

  /** Runs a test of the page's script and gives its plain data. */
  async run<Result = Record<string, never>>(
    name: string,
    options: Record<string, unknown> = {},
    url = this.served.isolated,
  ): Promise<Result> {
    const { page } = this;
    if (page.url() !== url) {
      await page.goto(url);
      await page.addScriptTag({ type: 'module', url: `/test/web/page/${this.script}` });
      await page.waitForFunction(() => 'webTests' in globalThis);
    }
    return page.evaluate(
      ([test, given]) => {
        const tests = (globalThis as unknown as { webTests: Record<string, (o: unknown) => Promise<unknown>> })
          .webTests;
        return tests[test as string]!(given) as Promise<Result>;
      },
      [name, options] as const,
    );
  }

  /** Closed workers are told a moment later. */
  async noWorkers(): Promise<void> {
    const { page } = this;
    for (let i = 0; i < 500 && page.workers().length > 0; i++) await sleep(10);
    expect(page.workers().map((worker) => worker.url())).toEqual([]);
  }

  /** Process ids of the pages. */
  async renderers(): Promise<number[]> {
    const cdp = await this.browser.newBrowserCDPSession();
    const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
    await cdp.detach();
    return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  }
}
