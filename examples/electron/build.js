// Bundles the page for the app:// scheme: the page, its task module, and the two entries of the package's workers, each a
// file of its own beside the others.   node examples/electron/build.js [folder]
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const here = fileURLToPath(new URL('./renderer/', import.meta.url));

/** @param {string} folder */
export async function buildPage(folder) {
  const bundle = await rolldown({
    input: {
      page: join(here, 'page.js'),
      'pixels.tasks': join(here, 'pixels.tasks.js'),
      'web-worker': 'frame-deadline/web-worker',
      'web-supervisor': 'frame-deadline/web-supervisor',
    },
    cwd: here,
    platform: 'browser',
    // hdr-histogram-js has one that is not called
    checks: { eval: false },
  });
  await bundle.write({
    dir: folder,
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    minify: true,
  });
  await bundle.close();
  for (const file of ['index.html', 'style.css']) copyFileSync(join(here, file), join(folder, file));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPage(process.argv[2] ?? fileURLToPath(new URL('./dist/', import.meta.url)));
}
