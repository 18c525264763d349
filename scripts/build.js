// Compiles src/ to dist/, over what is there. `--clean` removes dist first: files whose source is gone stay otherwise.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleInPlace } from './bundle-in-place.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
if (process.argv.includes('--clean')) rmSync(`${root}/dist`, { recursive: true, force: true });
// two programs, for DOM and Node types never meet
for (const config of ['tsconfig.json', 'tsconfig.web.json']) {
  execFileSync(process.execPath, [tsc, '-p', `${root}/${config}`], { stdio: 'inherit', cwd: root });
}
await bundleInPlace();
if (existsSync(`${root}/dist/cli/main.js`)) chmodSync(`${root}/dist/cli/main.js`, 0o755);
copyFileSync(`${root}/src/report/telemetry.schema.json`, `${root}/dist/report/telemetry.schema.json`);
