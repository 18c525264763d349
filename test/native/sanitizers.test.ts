import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { canRun, skipsBecause } from './support.js';

const source = fileURLToPath(new URL('./check.c', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whether the compiler has the sanitizer's library. */
const builds = (sanitizer: string): boolean =>
  canRun(`echo 'int main(void){return 0;}' | cc -fsanitize=${sanitizer} -x c - -o ${folder}/try && ${folder}/try`);

describe.each(['address,undefined', 'thread'])('the C part, with sanitizer %s', (sanitizer) => {
  const reason =
    (process.platform === 'linux' ? null : 'not Linux') ??
    (builds(sanitizer) ? null : 'no compiler with this sanitizer');

  it.skipIf(skipsBecause(`sanitizer ${sanitizer}`, reason))(
    'grants what limits allow, and survives many threads',
    () => {
      const program = join(folder, `check-${sanitizer}`);
      const flags = ['-std=c11', '-g', '-Wall', '-Wextra', '-Werror', `-fsanitize=${sanitizer}`, '-pthread'];
      execFileSync('cc', [...flags, '-fno-sanitize-recover=all', source, '-o', program], { stdio: 'pipe' });
      const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '0 failed\n', stderr: '' });
    },
  );
});
