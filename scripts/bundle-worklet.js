// Makes dist/web-audio/worklet.js one file: bundlers copy what `new URL('./worklet.js', import.meta.url)` names, but not
// what that imports.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const worklet = fileURLToPath(new URL('../dist/web-audio/worklet.js', import.meta.url));

/** Does nothing where it is one file already. */
export async function bundleWorklet() {
  if (!/^import /m.test(readFileSync(worklet, 'utf8'))) return;
  const bundle = await rolldown({ input: worklet, logLevel: 'warn' });
  await bundle.write({ file: worklet, format: 'es', sourcemap: true, codeSplitting: false, comments: false });
  await bundle.close();
}
