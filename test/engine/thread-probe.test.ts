import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { NodeThreadProbe } from '../../src/host/node/thread-probe.js';
import { SOME_COLLECTION } from '../../src/worker/thread-probe.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;

describe('collections as the spaces of the heap tell them', () => {
  for (const [name, options] of [
    ['of everything', undefined],
    ['of the young generation', { type: 'minor' } as const],
  ] as const) {
    it(`one ${name} is seen once`, () => {
      const probe = new NodeThreadProbe();
      const kept = [];
      for (let i = 0; i < 20; i++) {
        for (let k = 0; k < 1000; k++) kept.push({ k });
        probe.mark();
        collect(options);
        probe.read();
        expect(probe.gcUs).toBe(SOME_COLLECTION);
      }
      expect(kept.length).toBe(20_000);
      probe.close();
    });
  }

  it('a thread that marks and collects for long does not grow', () => {
    const probe = new NodeThreadProbe();
    const turn = (): void => {
      for (let i = 0; i < 300; i++) {
        probe.mark();
        collect({ type: 'minor' });
        probe.read();
      }
    };
    turn();
    collect();
    const before = process.memoryUsage.rss();
    turn();
    turn();
    collect();
    // v8.GCProfiler in place of this: hundreds of MB
    expect(process.memoryUsage.rss() - before).toBeLessThan(32 * 2 ** 20);
    probe.close();
  });
});
