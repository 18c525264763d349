import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';

// What a page downloads, bundled and minified as an app's build does it.

const dist = fileURLToPath(new URL('../../dist', import.meta.url));

interface Weight {
  /** Gzipped: with the page, by its static imports. */
  readonly atOnce: number;
  /** Gzipped: what the first `createScheduler` loads besides. */
  readonly onFirstUse: number;
  readonly code: string;
}

async function weigh(source: string): Promise<Weight> {
  const bundle = await rolldown({
    input: 'app',
    platform: 'browser',
    logLevel: 'silent',
    plugins: [
      {
        name: 'app',
        resolveId: (id) => (id === 'app' ? id : null),
        load: (id) => (id === 'app' ? source : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'es', minify: true });
  const chunks = output.filter((chunk) => chunk.type === 'chunk');
  const graph = (names: string[]): Set<string> => {
    const seen = new Set<string>();
    const visit = (name: string): void => {
      if (seen.has(name)) return;
      seen.add(name);
      for (const next of chunks.find((chunk) => chunk.fileName === name)?.imports ?? []) visit(next);
    };
    for (const name of names) visit(name);
    return seen;
  };
  const sizeOf = (names: Iterable<string>): number =>
    [...names].reduce((sum, name) => sum + gzipSync(chunks.find((chunk) => chunk.fileName === name)!.code).length, 0);
  const entry = chunks.find((chunk) => chunk.isEntry)!;
  const first = graph([entry.fileName]);
  const engine = chunks.find((chunk) => chunk.facadeModuleId?.endsWith('/web-engine.js'));
  const later = engine === undefined ? [] : [...graph([engine.fileName])].filter((name) => !first.has(name));
  const code = [...first].map((name) => chunks.find((chunk) => chunk.fileName === name)!.code).join('\n');
  return { atOnce: sizeOf(first), onFirstUse: sizeOf(later), code };
}

describe('the weight of the web entry', () => {
  it('is at most 15 kB, and the scheduler itself comes with the first createScheduler', async () => {
    const all = await weigh(`export * from '${dist}/web.js';`);
    const app = await weigh(`export { createScheduler, task } from '${dist}/web.js';`);
    console.info('gzipped bytes', { all: all.atOnce, app: app.atOnce, onFirstUse: app.onFirstUse });
    expect(all.atOnce).toBeLessThanOrEqual(15_000);
    expect(app.atOnce).toBeLessThan(all.atOnce);
    expect(app.onFirstUse).toBeGreaterThan(1000);
    expect(app.onFirstUse).toBeLessThanOrEqual(47_000);
  });

  it('is shaken: a task module carries neither scheduler nor streams', async () => {
    const { atOnce, onFirstUse, code } = await weigh(`
      import { task, u32 } from '${dist}/web.js';
      export const twice = task({ input: { x: u32 }, output: { y: u32 }, run(i, o) { o.y = i.x * 2; } });`);
    console.info('gzipped bytes of a task module', atOnce);
    expect(onFirstUse).toBe(0);
    expect(atOnce).toBeLessThanOrEqual(4000);
    expect(code).not.toContain('new Worker');
    expect(code).not.toMatch(/\beval\(|new Function\(|blob:/);
  });
});
