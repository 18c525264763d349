// Runs every example and the main job for a moment, so that none rots. Prints one line for each; ends non-zero if one fails.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'frame-deadline-'));
let failed = 0;

function run(name, args) {
  const started = performance.now();
  const done = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, EXAMPLE_SECONDS: '1' },
  });
  const ok = done.status === 0;
  if (!ok) failed++;
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  if (!ok) console.log(done.stdout, done.stderr, done.signal ?? '');
}

for (const example of readdirSync(join(root, 'examples'))) {
  if (example.includes('.')) continue;
  run(`examples/${example}`, [join(root, 'examples', example, 'main.js')]);
}
run('frame-deadline demo', [join(root, 'dist/cli/main.js'), 'demo', '--seconds', '1', '--quiet', '--out', out]);
const soak = ['--minutes', '0.2', '--load', '0', '--max-xruns', '100000', '--max-miss-percent', '100'];
run('soak', [join(root, 'bench/soak.js'), ...soak, '--out', out]);
rmSync(out, { recursive: true, force: true });
process.exitCode = failed === 0 ? 0 : 1;
