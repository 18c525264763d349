// Bundles this example into dist-demo-web/, a folder for any static host that can send the headers in its `_headers`.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { ISOLATION, POLICY } from './headers.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'examples/web-demo/page');
const dist = join(root, 'dist');
/** What is loaded by address, and so keeps its name. */
const ENTRIES = ['page', 'audio.tasks', 'input.tasks', 'render.tasks', 'music.worker', 'hog.worker'];
const COPIES = ['index.html', 'style.css', 'icon.svg'];

/**
 * @param {string} [folder] emptied first
 * @returns {Promise<string>} the folder
 */
export async function buildDemoWeb(folder = join(root, 'dist-demo-web')) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const entries = Object.fromEntries(ENTRIES.map((name) => [name, join(source, `${name}.js`)]));
  const bundle = await rolldown({
    input: {
      ...entries,
      'web-worker': join(dist, 'web-worker.js'),
      'web-supervisor': join(dist, 'web-supervisor.js'),
    },
    cwd: root,
    platform: 'browser',
    // its `paths` are for types
    tsconfig: false,
    logLevel: 'warn',
    resolve: {
      alias: { 'frame-deadline/web-audio': join(dist, 'web-audio/index.js'), 'frame-deadline': join(dist, 'web.js') },
    },
    plugins: [withoutHistograms],
  });
  await bundle.write({
    dir: folder,
    format: 'es',
    minify: true,
    sourcemap: false,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk-[hash].js',
  });
  await bundle.close();
  copyFileSync(join(dist, 'web-audio/worklet.js'), join(folder, 'worklet.js'));
  for (const name of COPIES) copyFileSync(join(source, name), join(folder, name));
  const headers = Object.entries({ ...ISOLATION, ...POLICY }).map(([name, value]) => `  ${name}: ${value}\n`);
  writeFileSync(join(folder, '_headers'), `/*\n${headers.join('')}`);
  return folder;
}

/** Only `scheduler.histogram()` loads it, which the page does not call: its library has an `eval`. */
const withoutHistograms = {
  name: 'without-histograms',
  /** @param {string} id */
  load: (id) => (id.endsWith('/telemetry/hdr-histogram.js') ? 'export {};' : null),
};
