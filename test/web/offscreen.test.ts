import { describe, expect, it } from 'vitest';
import { CHROMIUM } from '../chromium.js';
import { TestPages } from './pages.js';

if (CHROMIUM === undefined)
  console.warn('SKIPPED: no canvas is drawn in a lane, no Chromium is here (apt-get install chromium)');

interface Pictures {
  drawn: number;
  shown: number;
  backwards: number;
  final: number;
  seconds: number;
}

describe.skipIf(CHROMIUM === undefined)('a canvas of the page in a lane', () => {
  const pages = new TestPages({ script: 'canvas-main.js', expected: ['GPU stall'] });
  const run = <T>(name: string, options: Record<string, unknown> = {}): Promise<T> => pages.run<T>(name, options);

  for (const kind of ['2d', 'webgl2']) {
    it(`shows what the lane draws, frame by frame: ${kind}`, async () => {
      const result = await run<Pictures>('pictures', { kind });
      console.info(`pictures in 2 s, ${kind}`, result);
      // how many of a busy machine's 120 frames is not for a test to say; each that is shown is a commit of the worker
      expect(result.shown).toBeGreaterThan(10);
      expect(result.backwards).toBe(0);
      expect(result.final).toBe(result.drawn);
    });
  }

  it('shows pictures also where jobs leave the worker no rest', async () => {
    const result = await run<Pictures>('pictures', { us: 40_000 });
    console.info('pictures of 40 ms', result);
    expect(result.shown).toBeGreaterThan(5);
    expect(result.final).toBe(result.drawn);
  });

  it('shows nothing while the worker blocks: that is why the lane turns its event loop', async () => {
    const result = await run<Pictures>('pictures', { ms: 500, lane: { eventLoop: false } });
    expect(result.drawn).toBeGreaterThan(5);
    expect(result.shown).toBe(0);
  });

  it('works without Atomics.waitAsync', async () => {
    const result = await run<Pictures>('pictures', {
      ms: 500,
      lane: { shared: { kind: '2d', withoutWaitAsync: true } },
    });
    expect(result.shown).toBeGreaterThan(2);
    expect(result.final).toBe(result.drawn);
  });

  it('draws into another canvas after its worker has died', async () => {
    const result = await run<{ targets: unknown[] }>('replaced');
    expect(result).toMatchObject({ before: true, outcome: 'lost', after: true, isAnother: true });
    expect(result.targets).toMatchObject([{ isReplacement: false }, { isReplacement: true }]);
  });

  it('says that a canvas which was given once is gone', async () => {
    const { outcome, message } = await run<{ outcome: string; message: string }>('gone');
    expect(outcome).toBe('failed');
    expect(message).toContain('lane render: shared.canvas was transferred to a worker that has died');
  });

  it('says so too where initialize reads it: the lane has no worker any more, and tells why', async () => {
    const told = await run<{ lastDeath: string; deaths: number; warnings: string[] }>('goneInInitialize');
    console.info('gone in initialize', told);
    expect(told).toMatchObject({ waiting: 'lost', refused: 'noWorker', state: 'gone' });
    expect(told.lastDeath).toContain('shared.canvas was transferred to a worker that has died');
    expect(told.warnings).toEqual([
      expect.stringMatching(/^no worker serves lane render any more.*shared\.canvas was transferred/),
    ]);
  });

  it('gives the worker its messages between jobs', async () => {
    let sum = 0;
    expect(await run('port')).toEqual(Array.from({ length: 20 }, (_, i) => (sum += i + 1)));
  });

  it('says what cannot be transferred', async () => {
    const refused = await run<Record<string, { code: string; message: string }>>('refused');
    expect(Object.values(refused).map(({ code }) => code)).toEqual(Array(4).fill('OPTION_INVALID'));
    expect(refused['ofThePage']!.message).toContain('transferControlToOffscreen()');
    expect(refused['drawn']!.message).toContain('lanes.render.transfer: ');
    expect(refused['shared']!.message).toContain('expected in `shared`');
  });
});
