// What the scripts of the native addon share: where its parts, Node's headers and node-gyp lie on this machine.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const NATIVE = join(ROOT, 'native');
export const PREBUILDS = join(NATIVE, 'prebuilds');
/** The oldest glibc that Node 20 runs with: a prebuild may not need a newer one. */
export const MAX_GLIBC = '2.28';

/** A prebuild as `node-gyp-build` finds it: `file` lies in native/prebuilds/. */
export const LINUX_PREBUILDS = ['x64', 'arm64'].flatMap((arch) =>
  ['glibc', 'musl'].map((libc) => ({ arch, libc, file: join(`linux-${arch}`, `node.napi.${libc}.node`) })),
);
/** Made on their own systems. */
export const OTHER_PREBUILDS = ['win32', 'darwin'].flatMap((platform) =>
  ['x64', 'arm64'].map((arch) => ({ platform, arch, file: join(`${platform}-${arch}`, 'node.napi.node') })),
);

const prefix = dirname(dirname(process.execPath));

/** The folder that has Node's headers in include/node, or nothing: node-gyp then gets them from the network. */
export function nodeDirectory() {
  const places = [process.env.npm_config_nodedir, prefix];
  return places.find((place) => place && existsSync(join(place, 'include/node/node_api.h')));
}

/** node-gyp's own script: as a dependency, or the one that npm carries. Or nothing. */
function nodeGyp() {
  try {
    return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    // not a dependency
  }
  const inNpm = 'node_modules/node-gyp/bin/node-gyp.js';
  const places = [
    process.env.npm_config_node_gyp,
    process.env.npm_execpath && join(dirname(process.env.npm_execpath), '..', inNpm),
    join(prefix, 'lib/node_modules/npm', inNpm),
    // Windows
    join(dirname(process.execPath), 'node_modules/npm', inNpm),
  ];
  return places.find((place) => place && existsSync(place));
}

/** npm's own script, to be run by this Node: needs nothing on the search path. Or nothing. */
export function npmScript() {
  const places = [
    process.env.npm_execpath,
    join(prefix, 'lib/node_modules/npm/bin/npm-cli.js'),
    join(dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js'),
  ];
  return places.find((place) => place?.endsWith('npm-cli.js') && existsSync(place));
}

/** Whether a program is there and answers. */
export const works = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;

/** Runs a compiler. Null, or the first line of what it says is wrong. */
export function compile(compiler, args) {
  const { status, stderr } = spawnSync(compiler, args, { encoding: 'utf8' });
  if (status === 0) return null;
  return stderr?.split('\n').find((line) => /error|undefined/.test(line)) ?? `${compiler} ended with status ${status}`;
}

/**
 * Builds native/build/Release/thread_control.node with node-gyp, by default for this machine. Null, or why it was not
 * built, in one line.
 */
export function buildWithNodeGyp(arch = process.arch) {
  const script = nodeGyp();
  if (script === undefined) return 'node-gyp is missing';
  const args = [script, 'rebuild', '-C', NATIVE, '--loglevel=error', `--arch=${arch}`];
  const directory = nodeDirectory();
  if (directory !== undefined) args.push(`--nodedir=${directory}`);
  // without headers on this machine node-gyp may wait for the network
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 });
  if (status === 0) return null;
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => /error/i.test(line));
  return lines[0]?.trim() ?? (status === null ? 'node-gyp took too long' : `node-gyp ended with status ${status}`);
}
