import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveExamples } from '../../examples/web-server.js';
import { AUDIO_FLAGS, CHROMIUM } from '../chromium.js';

/** FRAME_DEADLINE_AUDIO_SECONDS=60 for a minute of sound. */
const SECONDS = Number(process.env['FRAME_DEADLINE_AUDIO_SECONDS'] ?? 1);

if (CHROMIUM === undefined)
  console.warn('SKIPPED: web audio is not run in a browser, no Chromium is here (apt-get install chromium)');

describe.skipIf(CHROMIUM === undefined)('web audio in a browser', { timeout: 60_000 + SECONDS * 2000 }, () => {
  let browser: Browser;
  let served: { url: string; close(): void };
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    served = await serveExamples();
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: AUDIO_FLAGS });
    page = await browser.newPage();
    page.on('console', (message) => complaints.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    // what runs in the page is plain JavaScript there: see page.js
    await page.goto(`${served.url}test/web-audio/page.html`);
  });
  afterAll(async () => {
    await browser?.close();
    served?.close();
    expect(complaints).toEqual([]);
  });

  const run = (name: string, options: Record<string, unknown> = {}) =>
    page.evaluate(
      ([test, given]) => {
        const tests = (globalThis as unknown as { audioTests: Record<string, (o: unknown) => Promise<unknown>> })
          .audioTests;
        return tests[test as string]!(given) as Promise<Record<string, never>>;
      },
      [name, options] as const,
    );

  it.each([1, 2, 6, 32, 40])('renders %i channels offline, sample for sample', async (channels) => {
    const result = await run('offline', { channels, sampleFrames: 4800 });
    expect(result).toEqual({ wrong: 0, heard: 4800 * channels, state: 'ended', underruns: 0, missingItems: 0 });
  });

  it('plays live, fed by a worker on its own clock, and records the same samples', async () => {
    const result = await run('loop', { seconds: 2, targetDepth: 4096 });
    console.info('live', result);
    expect(result).toMatchObject({ wrong: 0, state: 'flowing', playback: { overruns: 0 }, capture: { overruns: 0 } });
    expect(result['heard']).toBeGreaterThan(1 * 44_100);
  });

  it('counts a stall of 200 ms as one xrun, loses no sample, and is as deep as before', async () => {
    const result = await run('stall', { targetDepth: 2048 });
    console.info('stall', result);
    expect(result).toMatchObject({ wrong: 0 });
    expect(result['underruns']).toBeGreaterThanOrEqual(1);
  });

  it('tells the sample frame of the device at which an event is heard, and follows the depth', async () => {
    for (const targetDepth of [2048, 8192]) {
      let result = await run('event', { targetDepth });
      // a busy machine may have an xrun in between, which moves the sound: that is another test
      for (let n = 0; result['disturbed'] && n < 10; n++) result = await run('event', { targetDepth });
      console.info(`event at depth ${targetDepth}`, result);
      const { predictedAt } = result;
      expect(result).toMatchObject({ disturbed: false, markedAt: predictedAt, markedAtByContext: predictedAt });
      // the ring's depth, less or more the blocks that are just being taken and written
      expect(result['afterSampleFrames']).toBeGreaterThan(targetDepth - 2048);
      expect(result['afterSampleFrames']).toBeLessThan(targetDepth + 4096);
    }
  });

  it('plays what a lane of a scheduler renders, and goes on after its worker hung', async () => {
    const result = await run('lane', { seconds: SECONDS, targetDepth: 4096, hang: true });
    console.info('lane', result);
    expect(result).toMatchObject({ wrong: 0, state: 'flowing', deaths: 1 });
    expect(result['underruns']).toBeGreaterThanOrEqual(1);
    expect(result['heardAfter']).toBeGreaterThan(0);
  });

  it('plays what a lane of a scheduler renders', async () => {
    const result = await run('lane', { seconds: SECONDS, targetDepth: 4096, hang: false });
    console.info('lane', result);
    expect(result).toMatchObject({ wrong: 0, state: 'flowing', deaths: 0 });
  });

  it('takes sound through a lane and back, sample for sample', async () => {
    const result = await run('through', { seconds: SECONDS });
    console.info('through', result);
    expect(result).toMatchObject({ wrong: 0, overruns: 0 });
    expect(result['heard']).toBeGreaterThan(20_000);
  });

  it('records a microphone', async () => {
    const result = await run('microphone', { seconds: 1 });
    console.info('microphone', result);
    expect(result['peak']).toBeGreaterThan(0.01);
    expect(result).toMatchObject({ ended: true });
  });

  it('says what is wrong', async () => {
    expect(await run('errors')).toEqual({
      notARing: expect.stringMatching(/createPlaybackNode: .*StreamRing of kind "f32" expected.*OPTION_INVALID/),
      bytes: expect.stringMatching(/kind "bytes" given/),
      small: expect.stringMatching(/128 sample frames given, at least 256/),
      taken: expect.stringMatching(/has a consumer already/),
      url: expect.stringMatching(/nowhere\.js.*workletUrl/),
      notAContext: expect.stringMatching(/AudioContext or OfflineAudioContext/),
      afterTakeOver: 'none',
    });
  });
});
