import { readFileSync } from 'node:fs';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';
import { CHROMIUM, CHROMIUM_FLAGS } from '../chromium.js';
import { type Served, serveRepository } from '../web/browser.js';

export const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

/** One page of a browser of its own, with the tests of `page/` in it. */
export class TestPage {
  readonly page: Page;
  readonly complaints: string[] = [];
  private readonly browser: Browser;
  private readonly served: Served;
  private readonly cdp: CDPSession;
  private readonly browserCdp: CDPSession;

  private constructor(browser: Browser, served: Served, page: Page, cdp: CDPSession, browserCdp: CDPSession) {
    this.browser = browser;
    this.served = served;
    this.page = page;
    this.cdp = cdp;
    this.browserCdp = browserCdp;
    page.on('console', (message) => this.complaints.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => this.complaints.push(`error: ${error.message}`));
  }

  static async open(): Promise<TestPage> {
    const served = await serveRepository();
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: CHROMIUM_FLAGS });
    const page = await browser.newPage();
    const cdp = await page.context().newCDPSession(page);
    await cdp.send('Performance.enable');
    await cdp.send('HeapProfiler.enable');
    const opened = new TestPage(browser, served, page, cdp, await browser.newBrowserCDPSession());
    // the page has no icon
    page.removeAllListeners('console');
    page.on('console', (message) => {
      if (!message.text().includes('404')) opened.complaints.push(`console: ${message.text()}`);
    });
    await page.goto(served.isolated);
    await page.addScriptTag({ type: 'module', url: '/test/browser/page/main.js' });
    await page.waitForFunction(() => 'browserTests' in globalThis);
    return opened;
  }

  /** Runs a test of `page/` and gives its plain data. */
  run<Result>(name: string, options: Record<string, unknown>): Promise<Result> {
    return this.page.evaluate(
      ([test, given]) => {
        const tests = (globalThis as unknown as { browserTests: Record<string, (o: unknown) => Promise<unknown>> })
          .browserTests;
        return tests[test as string]!(given);
      },
      [name, options] as const,
    ) as Promise<Result>;
  }

  /** What the page holds after a garbage collection; closed workers are waited for. */
  async held(): Promise<Held> {
    for (let i = 0; i < 500 && this.page.workers().length > 0; i++) await sleep(10);
    // objects that one collection finalizes are freed by the next
    for (let i = 0; i < 3; i++) await this.cdp.send('HeapProfiler.collectGarbage');
    await sleep(100);
    const { metrics } = await this.cdp.send('Performance.getMetrics');
    const metric = (name: string) => metrics.find((each) => each.name === name)!.value;
    return {
      workers: this.page.workers().length,
      heapKb: metric('JSHeapUsedSize') / 1024,
      listeners: metric('JSEventListeners'),
      ...(await this.renderer()),
    };
  }

  private async renderer(): Promise<{ threads: number; residentKb: number }> {
    if (process.platform !== 'linux') return { threads: 0, residentKb: 0 };
    const { processInfo } = await this.browserCdp.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer');
    let threads = 0;
    let residentKb = 0;
    for (const { id } of renderers) {
      const status = readFileSync(`/proc/${id}/status`, 'latin1');
      threads += Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]);
      residentKb += Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
    }
    return { threads, residentKb };
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.served.close();
  }
}

/** What a page holds. */
export interface Held {
  readonly workers: number;
  readonly heapKb: number;
  readonly listeners: number;
  /** of the renderer process, 0 where the system does not tell */
  readonly threads: number;
  readonly residentKb: number;
}
