import { parseAst } from 'rolldown/parseAst';
import { describe, expect, it } from 'vitest';
import { changedTasks, type GraphModule } from '../../src/vite/changed-tasks.js';
import { frameDeadline } from '../../src/vite/index.js';
import { findTaskUrls } from '../../src/vite/task-urls.js';

const NAMED = /\.tasks\.[cm]?[jt]sx?$/;
const found = (code: string) => findTaskUrls(parseAst(code), NAMED);

describe('where task modules are named', () => {
  it.each([
    ["const lane = { tasks: new URL('./a.js', import.meta.url) };", ['./a.js']],
    ["const lane = { 'tasks': new URL('../deep/a.ts', import.meta.url) };", ['../deep/a.ts']],
    ["const url = new URL('./a.tasks.ts', import.meta.url);", ['./a.tasks.ts']],
    ['const url = new URL(`./a.tasks.ts`, import.meta.url);', ['./a.tasks.ts']],
    [
      "f(new URL('./a.tasks.ts', import.meta.url), new URL('./b.tasks.mjs', import.meta.url))",
      ['./a.tasks.ts', './b.tasks.mjs'],
    ],
    ["// tasks: new URL('./a.tasks.ts', import.meta.url)", []],
    ['const text = "new URL(\'./a.tasks.ts\', import.meta.url)";', []],
    ["const image = new URL('./a.png', import.meta.url);", []],
    ["const lane = { tasks: new URL('./a.json', import.meta.url) };", []],
    ["const lane = { others: new URL('./a.js', import.meta.url) };", []],
    ["new URL('./a.tasks.ts', location.href)", []],
    ["new URL('https://x.example/a.tasks.ts', import.meta.url)", []],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is code
    ['new URL(name, import.meta.url); new URL(`./${name}.tasks.ts`, import.meta.url)', []],
  ])('%s', (code, specifiers) => {
    expect(found(code).map(({ specifier }) => specifier)).toEqual(specifiers);
    for (const { start, end } of found(code)) expect(code.slice(start, end)).toMatch(/^new URL\(.*\)$/);
  });
});

/** A graph of modules: names, and who imports them. */
function graph(importedBy: Record<string, readonly string[]>): Map<string, GraphModule> {
  const modules = new Map<string, GraphModule & { importers: Set<GraphModule> }>();
  for (const id of Object.keys(importedBy)) modules.set(id, { id, url: id, importers: new Set() });
  for (const [id, importers] of Object.entries(importedBy)) {
    for (const importer of importers) modules.get(id)!.importers.add(modules.get(importer)!);
  }
  return modules;
}

describe('what a change reaches', () => {
  const modules = graph({
    '/main.ts': [],
    '/a.tasks.ts': ['/main.ts'],
    '/b.tasks.ts': [],
    '/gain.ts': ['/a.tasks.ts', '/b.tasks.ts'],
    '/both.ts': ['/a.tasks.ts', '/main.ts'],
    '/circle.ts': ['/circle.ts', '/gain.ts'],
  });
  const reach = (id: string) => changedTasks([modules.get(id)!], (file) => file.endsWith('.tasks.ts'));

  it.each([
    ['/a.tasks.ts', ['/a.tasks.ts'], false],
    ['/gain.ts', ['/a.tasks.ts', '/b.tasks.ts'], false],
    ['/circle.ts', ['/a.tasks.ts', '/b.tasks.ts'], false],
    ['/both.ts', ['/a.tasks.ts'], true],
    ['/main.ts', [], true],
  ])('%s', (id, urls, reachesPage) => {
    expect(reach(id)).toEqual({ urls, reachesPage });
  });
});

describe('the plugin', () => {
  const MAIN = "const lane = { tasks: new URL('./a.tasks.js', import.meta.url) };";
  const context = (consumer = 'client') => {
    const sent: unknown[] = [];
    const emitted: unknown[] = [];
    return {
      sent,
      emitted,
      parse: (code: string) => parseAst(code),
      resolve: async (specifier: string) =>
        specifier.includes('nowhere') ? null : { id: specifier.replace('./', '/app/src/').replace('.js', '.ts') },
      emitFile: (chunk: unknown) => {
        emitted.push(chunk);
        return 'ref';
      },
      error: (message: string): never => {
        throw new Error(message);
      },
      environment: { config: { consumer }, hot: { send: (message: unknown) => void sent.push(message) } },
    };
  };
  const pluginFor = (command: string, base = '/') => {
    const plugin = frameDeadline();
    plugin.configResolved({ command, root: '/app', base });
    return plugin;
  };

  it('gives the headers unless told not to', () => {
    expect(frameDeadline().config()).toMatchObject({
      server: { headers: { 'Cross-Origin-Opener-Policy': 'same-origin' } },
      preview: { headers: { 'Cross-Origin-Embedder-Policy': 'require-corp' } },
      optimizeDeps: { exclude: ['frame-deadline'] },
    });
    expect(frameDeadline({ headers: false }).config()).toMatchObject({ server: {}, preview: {} });
    expect(frameDeadline({ headers: false }).config()['server']).not.toHaveProperty('headers');
  });

  it('makes a chunk of a task module in a build', async () => {
    const here = context();
    const done = await pluginFor('build').transform.call(here, MAIN, '/app/src/main.ts');
    expect(done?.code).toBe('const lane = { tasks: new URL(import.meta.ROLLUP_FILE_URL_ref, import.meta.url) };');
    expect(here.emitted).toEqual([
      { type: 'chunk', id: '/app/src/a.tasks.ts', name: 'a.tasks', preserveSignature: 'strict' },
    ]);
  });

  it('names the file that a .js path stands for in development', async () => {
    const done = await pluginFor('serve', '/base/').transform.call(context(), MAIN, '/app/src/main.ts');
    expect(done?.code).toBe('const lane = { tasks: new URL("/base/src/a.tasks.ts", import.meta.url) };');
  });

  it('leaves servers alone, and says which module is missing', async () => {
    const plugin = pluginFor('build');
    expect(await plugin.transform.call(context('server'), MAIN, '/app/src/main.ts')).toBeNull();
    const missing = MAIN.replace('./a', './nowhere');
    await expect(plugin.transform.call(context(), missing, '/app/src/main.ts')).rejects.toThrow(
      /no task module \.\/nowhere\.tasks\.js beside \/app\/src\/main\.ts/,
    );
  });

  it('tells the page of a saved task module, and keeps it from being reloaded', async () => {
    const plugin = pluginFor('serve', '/base/');
    const here = context();
    await plugin.transform.call(here, MAIN, '/app/src/main.ts');
    const module = { id: '/app/src/a.tasks.ts', url: '/src/a.tasks.ts', importers: new Set() };
    expect(plugin.hotUpdate.call(here, { modules: [module], timestamp: 5 })).toEqual([]);
    expect(here.sent).toEqual([
      { type: 'custom', event: 'frame-deadline:reload', data: { modules: ['/base/src/a.tasks.ts'], timestamp: 5 } },
    ]);
    const other = { id: '/app/src/other.ts', url: '/src/other.ts', importers: new Set() };
    expect(plugin.hotUpdate.call(here, { modules: [other], timestamp: 6 })).toBeUndefined();
    expect(here.sent).toHaveLength(1);
  });
});
