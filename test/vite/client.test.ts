import { describe, expect, it } from 'vitest';
import { type ReloadMessage, reloadOnSave } from '../../src/vite/client.js';

const fakeHot = () => {
  const listeners = new Set<(message: ReloadMessage) => void>();
  return {
    on: (event: string, callback: (message: ReloadMessage) => void) =>
      void (event === 'frame-deadline:reload' && listeners.add(callback)),
    off: (_: string, callback: (message: ReloadMessage) => void) => void listeners.delete(callback),
    send: (message: ReloadMessage) => {
      for (const listener of listeners) listener(message);
    },
    listeners,
  };
};

const turns = () => new Promise((done) => setTimeout(done, 5));

describe('reloadOnSave', () => {
  const lanes = [
    { name: 'render', module: 'http://localhost:5173/src/a.tasks.ts?t=1' },
    { name: 'sound', module: 'http://localhost:5173/src/a.tasks.ts' },
    { name: 'other', module: 'http://localhost:5173/src/b.tasks.ts' },
    { name: 'none', module: null },
  ];
  const schedulerOf = (reload: (lane: string) => Promise<{ lanes: readonly string[] }>) => ({
    describe: () => ({ lanes }),
    reload,
  });

  it('reloads the lanes of the module, those that share workers once', async () => {
    const asked: string[] = [];
    const told: unknown[] = [];
    const hot = fakeHot();
    const scheduler = schedulerOf(async (lane) => {
      asked.push(lane);
      return { lanes: ['render', 'sound'] };
    });
    const end = reloadOnSave(scheduler, hot, { onReload: (result) => told.push(result) });
    hot.send({ modules: ['/src/a.tasks.ts'], timestamp: 1 });
    await turns();
    expect(asked).toEqual(['render']);
    expect(told).toEqual([{ lanes: ['render', 'sound'] }]);
    end();
    expect(hot.listeners.size).toBe(0);
  });

  it('tells why one was refused, and goes on', async () => {
    const errors: string[] = [];
    const hot = fakeHot();
    const scheduler = schedulerOf((lane) =>
      lane === 'render' ? Promise.reject(new Error('broken')) : Promise.resolve({ lanes: [lane] }),
    );
    const told: unknown[] = [];
    reloadOnSave(scheduler, hot, {
      onError: (error, lane) => errors.push(`${lane}: ${error.message}`),
      onReload: (result) => told.push(result),
    });
    hot.send({ modules: ['/src/a.tasks.ts', '/src/b.tasks.ts'], timestamp: 1 });
    await turns();
    expect(errors).toEqual(['render: broken']);
    expect(told).toEqual([{ lanes: ['sound'] }, { lanes: ['other'] }]);
  });

  it('does nothing in a build', () => {
    expect(
      reloadOnSave(
        schedulerOf(() => Promise.reject(new Error())),
        undefined,
      )(),
    ).toBeUndefined();
  });
});
