// Makes files of dist/ that are to be loaded as they are one file each, with all that they import.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const FILES = {
  // bundlers copy what `new URL('./worklet.js', import.meta.url)` names, but not what that imports
  'web-audio/worklet.js': '',
  // a page without a bundler loads no CommonJS
  'scheduler/ring-buffer.js':
    '/*! ringbufferjs, Copyright (c) Jano González, MIT licence: node_modules/ringbufferjs/README.md */',
};

/** Does nothing where a file is one already. */
export async function bundleInPlace() {
  for (const [name, banner] of Object.entries(FILES)) {
    const file = fileURLToPath(new URL(`../dist/${name}`, import.meta.url));
    if (!/^import /m.test(readFileSync(file, 'utf8'))) continue;
    const bundle = await rolldown({ input: file, logLevel: 'warn' });
    await bundle.write({ file, format: 'es', sourcemap: true, codeSplitting: false, comments: false, banner });
    await bundle.close();
  }
}
