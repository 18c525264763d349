import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { canRun, skipsBecause } from './support.js';

// There is no macOS here: its part is checked against declarations that follow Apple's public headers, and run against a
// pretended kernel. That proves the logic of the part, not how macOS behaves.
const native = fileURLToPath(new URL('../../native', import.meta.url));
const stubs = fileURLToPath(new URL('./darwin-stubs', import.meta.url));
const WARNINGS = ['-std=c11', '-Wall', '-Wextra', '-Werror'];
const nodeHeaders = [process.env['npm_config_nodedir'], dirname(dirname(process.execPath))]
  .filter((place) => place !== undefined)
  .map((place) => join(place, 'include/node'))
  .find((place) => existsSync(join(place, 'node_api.h')));
const sources = readdirSync(native)
  .filter((name) => name === 'binding.c' || /^thread_darwin.*\.c$/.test(name))
  .map((name) => join(native, name));

const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-darwin-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const noClang =
  (canRun('clang --version') ? null : 'no clang') ??
  (nodeHeaders === undefined ? "no headers of Node's (set npm_config_nodedir)" : null);

describe.each(['arm64', 'x86_64'])('for macOS on %s', (processor) => {
  it.skipIf(skipsBecause(`macOS on ${processor}`, noClang))('the C part is valid', () => {
    const target = [`--target=${processor}-apple-macos11`, '-ffreestanding', '-nostdlibinc'];
    const headers = [`-I${stubs}`, `-I${join(stubs, 'libc')}`, '-isystem', nodeHeaders!];
    const args = [...target, ...headers, ...WARNINGS, '-DNAPI_VERSION=8', '-fsyntax-only', ...sources];
    const { status, stderr } = spawnSync('clang', args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

const noCompiler =
  (process.platform === 'linux' ? null : 'not Linux') ??
  (canRun(`echo 'int main(void){return 0;}' | cc -fsanitize=address,undefined -x c - -o ${folder}/try && ${folder}/try`)
    ? null
    : 'no compiler with sanitizers');

it.skipIf(skipsBecause('the macOS part, against a pretended kernel', noCompiler))(
  'order of attempts, conversions, error names, and what is taken back',
  () => {
    const program = join(folder, 'fake');
    const source = fileURLToPath(new URL('./darwin-fake.c', import.meta.url));
    const sanitizers = ['-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
    execFileSync('cc', [...WARNINGS, '-g', ...sanitizers, '-pthread', `-I${stubs}`, source, '-o', program], {
      stdio: 'pipe',
    });
    const { status, stdout, stderr } = spawnSync(program, { encoding: 'utf8' });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '0 failed\n', stderr: '' });
  },
);
