import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIO_FLAGS, CHROMIUM } from '../chromium.js';
import { skipsBecause } from '../native/support.js';
import { Apps, bundlersAreThere, run, startServer } from './app.js';
import { Built } from './built.js';
import { serveFolder } from './serve.js';

// The package as it is published, in apps that bundlers build, under a strict policy in a browser.

// The rest of the tests want no bundler: these are not installed with them.
const missing =
  (bundlersAreThere ? null : 'the bundlers are not installed (npm ci --prefix test/bundlers)') ??
  (CHROMIUM === undefined ? 'no Chromium is here (apt-get install chromium)' : null);

const EXPECTED = {
  isolated: true,
  ended: 150,
  // x² + 0.5 + 1 for x of 0 to 3
  meanHeight: 5,
  meanSample: 63.5,
  onTime: [
    ['tile', 120],
    ['tone', 30],
  ],
  inHistogram: 120,
  sound: [0.25, 0.25],
};

interface Fixture {
  readonly name: string;
  /** Gives the folder of what was built. */
  build(app: string): string;
}

/** Of bundlers that know no pages: theirs goes beside the scripts. */
function withPage(app: string): string {
  cpSync(join(app, 'index.html'), join(app, 'dist/index.html'));
  return join(app, 'dist');
}

const FIXTURES: Fixture[] = [
  {
    name: 'vite',
    build: (app) => {
      run(app, 'vite/bin/vite.js', 'build');
      return join(app, 'dist');
    },
  },
  {
    name: 'vite-plugin',
    build: (app) => {
      run(app, 'vite/bin/vite.js', 'build');
      return join(app, 'dist');
    },
  },
  {
    name: 'webpack',
    build: (app) => {
      run(app, 'build.js');
      return withPage(app);
    },
  },
  {
    name: 'esbuild',
    build: (app) => {
      run(app, 'build.js');
      return withPage(app);
    },
  },
  {
    name: 'rollup',
    build: (app) => {
      run(app, 'rollup/dist/bin/rollup', '-c');
      return withPage(app);
    },
  },
  {
    name: 'electron-vite',
    build: (app) => {
      run(app, 'electron-vite/bin/electron-vite.js', 'build');
      return join(app, 'out/renderer');
    },
  },
];

const FOR_NODE = [
  { name: 'esbuild', build: ['esbuild.js'] },
  { name: 'rollup', build: ['rollup/dist/bin/rollup', '-c'] },
  { name: 'webpack', build: ['webpack.js'] },
] as const;

describe.skipIf(skipsBecause('bundlers', missing))('an app built by', () => {
  let apps: Apps;
  let browser: Browser;

  beforeAll(async () => {
    apps = new Apps();
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: AUDIO_FLAGS });
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    apps?.remove();
  }, 240_000);

  /** Opens a page, lets it do its work, and gives what it got and what the browser complained of. */
  async function visit(url: string): Promise<{ checked: unknown; complaints: string[] }> {
    const complaints: string[] = [];
    const page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() !== 'debug') complaints.push(`${message.type()}: ${message.text()}`);
    });
    page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
    });
    try {
      await page.goto(url);
      const scope = () => (globalThis as unknown as { checked?: Promise<object> }).checked;
      await expect.poll(() => page.evaluate(() => 'checked' in globalThis), { timeout: 20_000 }).toBe(true);
      const checked = await page.evaluate(scope).catch((error: Error) => error.message);
      return { checked, complaints };
    } catch (error) {
      return { checked: String(error), complaints };
    } finally {
      await page.close();
    }
  }

  describe.each(FIXTURES)('$name', ({ name, build }) => {
    let folder: string;
    beforeAll(() => {
      folder = build(apps.make(name));
    }, 120_000);

    it('runs', async () => {
      const served = await serveFolder(folder);
      try {
        expect(await visit(served.url)).toEqual({ checked: EXPECTED, complaints: [] });
      } finally {
        served.close();
      }
    });

    it('has nothing of Node.js, and no code made from text', () => {
      const built = new Built(folder);
      expect(built.all(/\bnode:\w+|worker_threads|hrtime/g)).toEqual([]);
      // hdr-histogram-js has the first, and webpack for it the second: neither is called in a browser
      const evals = built.all(/\beval\(.{10}|\bnew Function\(.{13}|blob:/g);
      expect(evals.filter((text) => !/^eval\(['"`]require\(|^new Function\("return this"$/.test(text))).toEqual([]);
    });

    it('loads the scheduler when the first is created', () => {
      const built = new Built(folder);
      const page = /<script[^>]* src="\.?\/?([^"]+)"/.exec(readFileSync(join(folder, 'index.html'), 'utf8'))![1]!;
      const atOnce = built.withImports(page);
      const engine = built.having('this page is not cross-origin isolated');
      console.info(`${name}: gzipped bytes`, {
        atOnce: built.gzippedBytes(atOnce),
        all: built.gzippedBytes(built.having('')),
      });
      expect(engine.length).toBe(1);
      expect(atOnce).not.toContain(engine[0]);
      expect(built.having('hdrhistogram').filter((script) => atOnce.includes(script))).toEqual([]);
    });
  });

  it.each(['vite', 'vite-plugin', 'esbuild'])('%s, with the types that a bundler finds', (name) => {
    expect(run(apps.make(name), 'typescript/bin/tsc')).toBe('');
  });

  it.each(['vite', 'vite-plugin'])('%s, served for development, runs', async (name) => {
    const server = await startServer(apps.make(name), 'vite/bin/vite.js', '--port=0', '--host=127.0.0.1');
    try {
      expect(await visit(server.url)).toEqual({ checked: EXPECTED, complaints: [] });
      expect(server.log()).not.toMatch(/error|warn/i);
    } finally {
      server.close();
    }
  });

  it('Vite without lines for it is told that a task module was taken for an asset', async () => {
    const app = apps.make('vite-plugin');
    rmSync(join(app, 'vite.config.js'));
    run(app, 'vite/bin/vite.js', 'build');
    const served = await serveFolder(join(app, 'dist'));
    try {
      const { checked } = await visit(served.url);
      expect(checked).toMatch(/lane render: its task module is a data: URL.+docs\/bundlers\.md \[TASK_MODULE_FAILED\]/);
    } finally {
      served.close();
    }
  });

  it('electron-vite: the main process runs', () => {
    const app = apps.make('electron-vite');
    run(app, 'electron-vite/bin/electron-vite.js', 'build');
    const electron = join(app, 'node_modules/electron');
    mkdirSync(electron);
    cpSync(join(app, 'electron.js'), join(electron, 'index.js'));
    writeFileSync(
      join(electron, 'package.json'),
      JSON.stringify({ name: 'electron', type: 'module', exports: './index.js' }),
    );
    expect(run(app, 'out/main/index.js')).toBe('onTime 5.5\n');
  });

  it.each(FOR_NODE)('$name for Node.js runs, the package external', ({ build: [script, ...args] }) => {
    const app = apps.make('node');
    run(app, script, ...args);
    expect(run(app, 'dist/main.js')).toBe('onTime 5.5\n');
  });

  it.each(['esm', 'cjs'])('esbuild for Node.js with the package inside says what is wrong: %s', (format) => {
    const app = apps.make('node');
    const out = format === 'esm' ? 'dist/bundled.mjs' : 'dist/bundled.cjs';
    run(
      app,
      'esbuild/bin/esbuild',
      'src/bundled.ts',
      '--bundle',
      '--platform=node',
      `--format=${format}`,
      `--outfile=${out}`,
    );
    expect(run(app, out)).toMatch(
      /^WORKER_DIED .+ frame-deadline was bundled into the app; leave it out of the bundle/,
    );
  });
});

describe('docs/bundlers.md', () => {
  const docs = readFileSync(new URL('../../docs/bundlers.md', import.meta.url), 'utf8');
  const fixtures = new URL('./fixtures/', import.meta.url);
  const scripts = readdirSync(fixtures, { recursive: true, encoding: 'utf8' });
  const quoted = scripts.filter((path) => /(config|esbuild\/build|node\/esbuild)\.js$/.test(path));

  it.each(quoted)('quotes %s as it is built with', (path) => {
    expect(docs).toContain(readFileSync(new URL(path, fixtures), 'utf8').trim());
  });
});
