import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHROMIUM, CHROMIUM_FLAGS } from '../chromium.js';
import { type Served, serveRepository } from './browser.js';

if (CHROMIUM === undefined)
  console.warn('SKIPPED: the scheduler is not run in a browser, no Chromium is here (apt-get install chromium)');

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

describe.skipIf(CHROMIUM === undefined)('the scheduler in a browser', () => {
  let browser: Browser;
  let served: Served;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[] = [];

  beforeAll(async () => {
    served = await serveRepository();
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: CHROMIUM_FLAGS });
    console.info(`Chromium ${browser.version()}`);
  });
  afterAll(async () => {
    await browser?.close();
    served?.close();
  });
  beforeEach(async () => {
    complaints = [];
    context = await browser.newContext();
    page = await context.newPage();
    page.on('console', (message) => {
      // what is asked for in vain on purpose
      if (!message.text().includes('404')) complaints.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  async function run(name: string, options: Record<string, unknown> = {}, url = served.isolated) {
    if (page.url() !== url) {
      await page.goto(url);
      await page.addScriptTag({ type: 'module', url: '/test/web/page/main.js' });
      await page.waitForFunction(() => 'webTests' in globalThis);
    }
    return page.evaluate(
      ([test, given]) => {
        const tests = (globalThis as unknown as { webTests: Record<string, (o: unknown) => Promise<unknown>> })
          .webTests;
        return tests[test as string]!(given) as Promise<Record<string, never>>;
      },
      [name, options] as const,
    );
  }

  /** Closed workers are told a moment later. */
  async function noWorkers(): Promise<void> {
    for (let i = 0; i < 500 && page.workers().length > 0; i++) await sleep(10);
    expect(page.workers().map((worker) => worker.url())).toEqual([]);
  }

  it('runs a job on a worker, says what a page cannot have, and leaves no worker', async () => {
    const { outcome, y, thread, mode } = await run('hello');
    expect({ outcome, y, mode }).toEqual({ outcome: 'onTime', y: 42, mode: 'threads' });
    expect(thread).toMatchObject({
      priority: {
        requested: 'high',
        effective: 'normal',
        mechanism: null,
        reason: 'a page cannot set priority',
      },
      cpus: { effective: null, mechanism: null },
    });
    await noWorkers();
  });

  it('drives a loop by the frames of the display, with telemetry', async () => {
    const { outcomes, wrong, lane, loop, first } = await run('loop', { frames: 60, jobs: 8 });
    console.info('loop', { outcomes, hz: loop['hz'], dropped: loop['droppedTicks'] });
    expect(wrong).toBe(0);
    // a busy machine may be late, but nothing is lost and nothing counted twice
    const { frames, droppedTicks, intendedTicks, hz, pauses, intervalUs } = loop;
    expect(Object.values(outcomes as Record<string, number>).reduce((a, b) => a + b, 0)).toBe(frames * 8);
    expect(Object.values(lane as Record<string, number>).reduce((a, b) => a + b, 0)).toBe(frames * 8);
    expect(lane['onTime']).toBeGreaterThan(0);
    expect(intendedTicks).toBe(frames + droppedTicks);
    expect(intendedTicks).toBe(60);
    expect(first).toBe(0);
    expect(hz).toBeGreaterThan(20);
    expect(hz).toBeLessThan(250);
    expect(pauses).toEqual({ count: 0, totalMs: 0, now: null });
    expect((intervalUs as { count: number }).count).toBe(frames - 1);
  });

  it('takes every n-th frame where fewer are wanted', async () => {
    const whole = await run('loop', { frames: 5, jobs: 1 });
    const third = await run('loop', { frames: 5, jobs: 1, hz: 20 });
    const every = Math.round(whole['loop']['hz'] / third['loop']['hz']);
    expect(every).toBe(Math.round(whole['loop']['hz'] / 20));
  });

  it('joins until the deadline and lets the rest end later', async () => {
    const result = await run('joinUntilDeadline');
    expect(result).toMatchObject({ complete: false, pending: 'pending', later: true, outcome: 'late', x: 7 });
    expect(result['timeToDeadlineMs']).toBeLessThanOrEqual(0);
  });

  it('starts what comes after a barrier when what came before it has ended', async () => {
    const { ended, startAtUs, finishAtUs } = await run('barrier');
    expect(ended).toBe(true);
    expect(startAtUs).toBeGreaterThanOrEqual((finishAtUs as number) - 5);
  });

  it('tells what a handler threw', async () => {
    expect(await run('failing')).toMatchObject({
      outcome: 'failed',
      code: 'JOB_FAILED',
      cause: { name: 'RangeError', message: 'no 3 here', code: 'E_HERE' },
    });
  });

  it('does not block the page, but polls', async () => {
    expect(await run('blocking')).toMatchObject({ code: 'BLOCKING_NOT_ALLOWED', ended: true });
  });

  it('replaces a worker that dies; its job is lost, the others are run', async () => {
    const result = await run('deadWorker');
    console.info('dead worker', result);
    expect(result).toMatchObject({ outcome: 'lost', ended: 40, deaths: [0, 1] });
    // Chromium tells of its end two seconds later: by then the watch has given it up
    const [why] = (result['lastDeaths'] as (string | null)[]).filter((each) => each !== null);
    expect(why).toMatch(/^Error: the thread closed itself$|^ended after its job had run for \d+ ms$/);
    expect(result['lane']).toMatchObject({ lost: 1, failed: 0, expired: 0, cancelled: 0 });
    expect(result['accepted']).toBe(41);
    await noWorkers();
  });

  it('closes while a handler never returns, and leaves no worker', async () => {
    const result = await run('closeHung');
    console.info('closed', result);
    expect(result['outcome']).toBe('lost');
    await noWorkers();
  });

  it('releases periods while the page is busy', async () => {
    const { periods } = await run('busyPage');
    // 500 ms of every 10 ms
    expect(periods).toBeGreaterThanOrEqual(49);
    expect(periods).toBeLessThanOrEqual(60);
  });

  it('has one clock on all threads', async () => {
    const { count, misordered } = await run('clocks');
    expect(count).toBeGreaterThan(200);
    expect(misordered).toBe(0);
  });

  it('explains modules that cannot be used', async () => {
    const codes = Object.entries(await run('badModules')) as [string, { code: string; message: string }][];
    expect(Object.fromEntries(codes.map(([name, { code }]) => [name, code]))).toEqual({
      missing: 'TASK_MODULE_NOT_FOUND',
      broken: 'TASK_MODULE_FAILED',
      empty: 'TASK_MODULE_EMPTY',
      worker: 'WORKER_DIED',
      supervisor: 'WORKER_DIED',
      page: 'TASK_MODULE_NOT_FOUND',
      otherOrigin: 'WORKER_DIED',
      workersOtherOrigin: 'WORKER_DIED',
      slow: 'READY_TIMEOUT',
      option: 'OPTION_INVALID',
      unknown: 'OPTION_INVALID',
    });
    const messages = Object.fromEntries(codes.map(([name, { message }]) => [name, message]));
    expect(messages['missing']).toContain('nowhere.tasks.js');
    expect(messages['broken']).toContain('RangeError: broken on purpose');
    expect(messages['worker']).toContain('its module could not be loaded');
    expect(messages['page']).toContain('text/html');
    expect(messages['otherOrigin']).toContain("from the page's own origin");
    expect(messages['workersOtherOrigin']).toContain("from the page's own origin");
    await noWorkers();
  });

  it('works where trusted types are required, with a default policy in the page', async () => {
    await page.goto(served.trusted);
    await page.evaluate("import('/test/web/page/main.js')");
    expect(await page.evaluate('webTests.notIsolated()')).toMatchObject({
      code: 'WORKER_DIED',
      message: expect.stringMatching(/default policy/),
    });
    complaints = complaints.filter((text) => !text.includes('TrustedScriptURL'));
    await page.evaluate("trustedTypes.createPolicy('default', { createScriptURL: (url) => url }); null");
    expect(await run('hello', {}, page.url())).toMatchObject({ outcome: 'onTime' });
  });

  it('runs as a host in a worker, which may block', async () => {
    expect(await run('inWorker')).toEqual({ outcome: 'onTime', y: 42, complete: true, frames: 3 });
    await noWorkers();
  });

  it('works without Atomics.waitAsync', async () => {
    await page.addInitScript(() => {
      Object.assign(Atomics, { waitAsync: undefined });
    });
    const { outcome, y } = await run('hello');
    expect({ outcome, y }).toEqual({ outcome: 'onTime', y: 42 });
    expect(await run('joinUntilDeadline')).toMatchObject({ complete: false, later: true, x: 7 });
  });

  it('pauses in a hidden page, and misses nothing', async () => {
    // no way to hide a page of a headless browser: what the browser does then is done here
    await page.addInitScript(() => {
      const request = requestAnimationFrame.bind(globalThis);
      let held: FrameRequestCallback[] | null = null;
      globalThis.requestAnimationFrame = (callback) => {
        if (held === null) return request(callback);
        held.push(callback);
        return 1e9;
      };
      Object.defineProperty(document, 'visibilityState', { get: () => (held === null ? 'visible' : 'hidden') });
      Object.assign(globalThis, {
        setHidden: (hidden: boolean) => {
          const callbacks = held ?? [];
          held = hidden ? [] : null;
          document.dispatchEvent(new Event('visibilitychange'));
          for (const callback of callbacks) request(callback);
        },
      });
    });
    await run('open');
    const setHidden = (hidden: boolean) =>
      page.evaluate(
        (given) => (globalThis as unknown as { setHidden(hidden: boolean): void }).setHidden(given),
        hidden,
      );
    await setHidden(true);
    await sleep(100);
    const before = await telemetry();
    await sleep(1500);
    const hidden = await telemetry();
    expect(hidden['pauses']['now']).toBe('hidden');
    expect(hidden['intendedTicks']).toBe(before['intendedTicks']);
    await setHidden(false);
    await page.waitForFunction(
      (frames) => (globalThis as unknown as Opened).opened.telemetry()['frames']! > frames,
      (hidden['frames'] as number) + 5,
    );
    const after = await telemetry();
    expect(after['pauses']).toMatchObject({ count: 1, now: null });
    expect(after['pauses']['totalMs']).toBeGreaterThan(1400);
    // about a hundred ticks were not missed; a busy machine may miss some around them
    expect(after['droppedTicks'] - before['droppedTicks']).toBeLessThan(50);
    await page.evaluate(() => (globalThis as unknown as Opened).opened.close());
    await noWorkers();
  });

  it.skipIf(process.platform !== 'linux')('tells of a sleep as one gap', async () => {
    await run('open');
    const cdp = await browser.newBrowserCDPSession();
    const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    // one that comes while the callback waits for its jobs looks as if these took that long
    for (let attempt = 0; attempt < 4; attempt++) {
      const before = await telemetry();
      for (const id of renderers) process.kill(id, 'SIGSTOP');
      await sleep(2500);
      for (const id of renderers) process.kill(id, 'SIGCONT');
      await sleep(300);
      const after = await telemetry();
      console.info('slept', after['pauses'], after['droppedTicks'] - before['droppedTicks']);
      if (after['pauses']['count'] === 0) continue;
      expect(after['pauses']['count']).toBe(1);
      expect(after['pauses']['totalMs']).toBeGreaterThan(1500);
      expect(after['droppedTicks'] - before['droppedTicks']).toBeLessThan(50);
      break;
    }
    expect((await telemetry())['pauses']['count']).toBe(1);
    await page.evaluate(() => (globalThis as unknown as Opened).opened.close());
  });

  it('says what is missing without isolation, and runs inline', async () => {
    const refused = await run('notIsolated', {}, served.plain);
    expect(refused['code']).toBe('SHARED_MEMORY_UNAVAILABLE');
    expect(refused['message']).toContain('Cross-Origin-Opener-Policy: same-origin');
    expect(refused['message']).toContain('Cross-Origin-Embedder-Policy: require-corp');
    expect(await run('inline', { frames: 5 }, served.plain)).toEqual({
      isolated: false,
      results: [true, true, true, true, true],
      joined: true,
      y: 8,
      mode: 'inline',
    });
    expect(page.workers()).toEqual([]);
  });

  interface Opened {
    opened: { telemetry(): Record<string, number>; close(): Promise<void> };
  }
  const telemetry = () =>
    page.evaluate(() => (globalThis as unknown as Opened).opened.telemetry() as never) as Promise<
      Record<string, never>
    >;
});
