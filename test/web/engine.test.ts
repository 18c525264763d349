import { describe, expect, it } from 'vitest';
import { CHROMIUM } from '../chromium.js';
import { sleep, TestPages } from './pages.js';

if (CHROMIUM === undefined)
  console.warn('SKIPPED: the scheduler is not run in a browser, no Chromium is here (apt-get install chromium)');

describe.skipIf(CHROMIUM === undefined)('the scheduler in a browser', () => {
  // 404: what is asked for in vain on purpose
  const pages = new TestPages({ script: 'main.js', expected: ['404'] });
  const run = (name: string, options: Record<string, unknown> = {}, url?: string) => pages.run(name, options, url);
  const noWorkers = () => pages.noWorkers();

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
      number: 'OPTION_INVALID',
      nested: 'TASK_MODULE_FAILED',
      unknown: 'OPTION_INVALID',
    });
    const messages = Object.fromEntries(codes.map(([name, { message }]) => [name, message]));
    expect(messages['missing']).toContain('nowhere.tasks.js');
    expect(messages['broken']).toContain('RangeError: broken on purpose');
    expect(messages['number']).toContain('workerUrl is 5, expected');
    expect(messages['nested']).toMatch(/the module itself is there.*\/nowhere-nested\.js \(404\)/);
    expect(messages['worker']).toContain('its module could not be loaded');
    expect(messages['page']).toContain('text/html');
    expect(messages['otherOrigin']).toContain("from the page's own origin");
    expect(messages['workersOtherOrigin']).toContain("from the page's own origin");
    await noWorkers();
  });

  it('works where trusted types are required, with a default policy in the page', async () => {
    await pages.page.goto(pages.served.trusted);
    await pages.page.evaluate("import('/test/web/page/main.js')");
    expect(await pages.page.evaluate('webTests.notIsolated()')).toMatchObject({
      code: 'WORKER_DIED',
      message: expect.stringMatching(/default policy/),
    });
    pages.complaints = pages.complaints.filter((text) => !text.includes('TrustedScriptURL'));
    await pages.page.evaluate("trustedTypes.createPolicy('default', { createScriptURL: (url) => url }); null");
    expect(await run('hello', {}, pages.page.url())).toMatchObject({ outcome: 'onTime' });
  });

  it('runs as a host in a worker, which may block', async () => {
    expect(await run('inWorker')).toEqual({ outcome: 'onTime', y: 42, complete: true, frames: 3 });
    await noWorkers();
  });

  it('works without Atomics.waitAsync', async () => {
    await pages.page.addInitScript(() => {
      Object.assign(Atomics, { waitAsync: undefined });
    });
    const { outcome, y } = await run('hello');
    expect({ outcome, y }).toEqual({ outcome: 'onTime', y: 42 });
    expect(await run('joinUntilDeadline')).toMatchObject({ complete: false, later: true, x: 7 });
  });

  it('works where no thread has Atomics.waitAsync', async () => {
    await pages.page.addInitScript(() => {
      Object.assign(Atomics, { waitAsync: undefined });
    });
    expect(await run('withoutWaitAsync')).toEqual({ outcome: 'onTime', y: 42, deaths: [0, 0] });
    await noWorkers();
  });

  it('pauses in a hidden page, and misses nothing', async () => {
    // no way to hide a page of a headless browser: what the browser does then is done here
    await pages.page.addInitScript(() => {
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
      pages.page.evaluate(
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
    await pages.page.waitForFunction(
      (frames) => (globalThis as unknown as Opened).opened.telemetry()['frames']! > frames,
      (hidden['frames'] as number) + 5,
    );
    const after = await telemetry();
    expect(after['pauses']).toMatchObject({ count: 1, now: null });
    expect(after['pauses']['totalMs']).toBeGreaterThan(1400);
    // about a hundred ticks were not missed; a busy machine may miss some around them
    expect(after['droppedTicks'] - before['droppedTicks']).toBeLessThan(50);
    await pages.page.evaluate(() => (globalThis as unknown as Opened).opened.close());
    await noWorkers();
  });

  it.skipIf(process.platform !== 'linux')('tells of a sleep as one gap', async () => {
    await run('open');
    const renderers = await pages.renderers();
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
    await pages.page.evaluate(() => (globalThis as unknown as Opened).opened.close());
  });

  it('says what is missing without isolation, and runs inline', async () => {
    const refused = await run('notIsolated', {}, pages.served.plain);
    expect(refused['code']).toBe('SHARED_MEMORY_UNAVAILABLE');
    expect(refused['message']).toContain('Cross-Origin-Opener-Policy: same-origin');
    expect(refused['message']).toContain('Cross-Origin-Embedder-Policy: require-corp');
    expect(await run('inline', { frames: 5 }, pages.served.plain)).toEqual({
      isolated: false,
      results: [true, true, true, true, true],
      joined: true,
      y: 8,
      mode: 'inline',
    });
    expect(pages.page.workers()).toEqual([]);
  });

  interface Opened {
    opened: { telemetry(): Record<string, number>; close(): Promise<void> };
  }
  const telemetry = () =>
    pages.page.evaluate(() => (globalThis as unknown as Opened).opened.telemetry() as never) as Promise<
      Record<string, never>
    >;
});
