import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeDirectory } from '../../scripts/native-tools.js';
import { canRun, skipsBecause } from './support.js';

const source = fileURLToPath(new URL('./check.c', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WARNINGS = ['-std=c11', '-g', '-Wall', '-Wextra', '-Werror', '-pthread'];
const notLinux = process.platform === 'linux' ? null : 'not Linux';

/** The sanitizer of threads cannot place its memory where addresses are very random. */
const launcher = canRun('setarch -R true') ? ['setarch', '-R'] : ['env'];

/** Whether the compiler has the sanitizer's library, and its programs start here. */
function builds(sanitizer: string): boolean {
  const build = `echo 'int main(void){return 0;}' | cc -fsanitize=${sanitizer} -x c - -o ${folder}/try`;
  return canRun(`${build} && ${launcher.join(' ')} ${folder}/try`);
}

const noSanitizer = (sanitizer: string): string | null =>
  notLinux ?? (builds(sanitizer) ? null : 'no compiler with this sanitizer');

describe.each(['address,undefined', 'thread'])('the C part, with sanitizer %s', (sanitizer) => {
  it.skipIf(skipsBecause(`sanitizer ${sanitizer}`, noSanitizer(sanitizer)))(
    'grants what limits allow, and survives many threads',
    () => {
      const program = join(folder, `check-${sanitizer}`);
      const flags = [...WARNINGS, `-fsanitize=${sanitizer}`, '-fno-sanitize-recover=all'];
      execFileSync('cc', [...flags, source, '-o', program], { stdio: 'pipe' });
      const { status, stdout, stderr } = spawnSync(launcher[0]!, [...launcher.slice(1), program], { encoding: 'utf8' });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '0 failed\n', stderr: '' });
    },
  );
});

const ADDRESS = 'address,undefined';
const headers = nodeDirectory();
const reason = noSanitizer(ADDRESS) ?? (headers === undefined ? "no headers of Node's" : null);

describe.skipIf(skipsBecause(`the addon with sanitizer ${ADDRESS}`, reason))('the addon, with sanitizer', () => {
  const native = fileURLToPath(new URL('../../native/', import.meta.url));
  const linux = readdirSync(native).filter((name) => /^(binding|thread_linux\w*)\.c$/.test(name));
  const build = (output: string, ...more: string[]): void => {
    const flags = ['-fPIC', '-shared', '-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=thread_control'];
    const sanitizer = [`-fsanitize=${ADDRESS}`, '-fno-sanitize-recover=all', '-fno-omit-frame-pointer'];
    const include = ['-isystem', join(headers!, 'include/node')];
    execFileSync('cc', [...WARNINGS, ...flags, ...sanitizer, ...include, ...more, '-o', output], { stdio: 'pipe' });
  };
  /** Runs a script whose first argument is an addon, in a Node whose memory the sanitizer watches from the start. */
  const run = (script: string, ...args: string[]) => {
    const library = execFileSync('cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
    return spawnSync(process.execPath, [script, ...args], {
      // V8 ends without freeing what it has
      env: { ...process.env, LD_PRELOAD: library, ASAN_OPTIONS: 'detect_leaks=0' },
      encoding: 'utf8',
      timeout: 55_000,
    });
  };

  it('sees a fault of an addon at all', () => {
    const fault = join(folder, 'fault.c');
    const text = `
      #include <node_api.h>
      static int past(int i) { volatile int a[4] = {0}; return a[i]; }
      NAPI_MODULE_INIT() { (void)env; return past(exports == NULL ? 0 : 4) ? exports : NULL; }`;
    writeFileSync(fault, text);
    build(join(folder, 'fault.node'), fault);
    const { status, stderr } = run('-p', `require(${JSON.stringify(join(folder, 'fault.node'))})`);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/stack-buffer-overflow|index 4 out of bounds/);
  });

  it('makes no fault, whatever JavaScript passes', () => {
    const addon = join(folder, 'addon.node');
    build(addon, ...linux.map((name) => join(native, name)));
    expect(existsSync(addon)).toBe(true);
    const fuzz = fileURLToPath(new URL('./fuzz.js', import.meta.url));
    const { status, signal, stdout, stderr } = run(fuzz, addon, process.env['FUZZ_RUNS'] ?? '1000');
    expect({ status, signal, stdout, stderr }).toMatchObject({ status: 0, signal: null, stderr: '' });
    expect(stdout).toContain('dead or foreign threads: ESRCH ESRCH ESRCH ESRCH');
  });
});
