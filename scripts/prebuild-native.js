// Compiles the native addon for other machines with the compilers that are there, one line each, into
// native/prebuilds/<platform>-<arch>/, where node-gyp-build finds it. `--check`: also what can only be checked here.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const native = join(root, 'native');
const prefix = dirname(dirname(process.execPath));
const nodedir = [process.env.npm_config_nodedir, prefix].find(
  (place) => place && existsSync(join(place, 'include/node/node_api.h')),
);

const DEFINES = ['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=thread_control'];
const WARNINGS = ['-std=c11', '-Wall', '-Wextra', '-Werror'];
const SHARED = [...WARNINGS, ...DEFINES, '-O2', '-fPIC', '-shared', '-fvisibility=hidden', '-s', '-pthread'];
const LINUX = ['binding.c', 'thread_linux.c', 'thread_linux_leash.c'];

const LINUX_TARGETS = [
  { folder: 'linux-x64', libc: 'glibc', compilers: ['x86_64-linux-gnu-gcc'] },
  { folder: 'linux-x64', libc: 'musl', compilers: ['x86_64-linux-musl-gcc', 'musl-gcc'], arch: 'x64' },
  { folder: 'linux-arm64', libc: 'glibc', compilers: ['aarch64-linux-gnu-gcc'] },
  { folder: 'linux-arm64', libc: 'musl', compilers: ['aarch64-linux-musl-gcc', 'musl-gcc'], arch: 'arm64' },
];

const works = (compiler) => spawnSync(compiler, ['--version'], { stdio: 'ignore' }).status === 0;

/** Runs a compiler; null, or the first line of what it says. */
function compile(compiler, args, sources) {
  const files = sources.map((source) => join(native, source));
  const { status, stderr } = spawnSync(compiler, [...args, ...files], { encoding: 'utf8' });
  return status === 0 ? null : (stderr.split('\n').find((line) => /error/.test(line)) ?? `status ${status}`);
}

function report(what, problem) {
  console.log(`${what}: ${problem === null ? 'ok' : problem}`);
  if (problem !== null && !problem.startsWith('skipped')) process.exitCode = 1;
}

function buildLinux({ folder, libc, compilers, arch }) {
  // musl-gcc without a prefix compiles for the machine that it is on
  const compiler = compilers.find((name) => works(name) && (name !== 'musl-gcc' || arch === process.arch));
  if (compiler === undefined) return `skipped, no ${compilers[0]}`;
  const output = join(native, 'prebuilds', folder);
  mkdirSync(output, { recursive: true });
  const include = `-I${join(nodedir, 'include/node')}`;
  return compile(compiler, [...SHARED, include, '-o', join(output, `node.napi.${libc}.node`)], [...LINUX]);
}

/** Node's functions come from node.exe: an import library is made of those that the binding calls. */
function checkWindows(folder) {
  const [compiler, dlltool] = ['x86_64-w64-mingw32-gcc', 'x86_64-w64-mingw32-dlltool'];
  if (!works(compiler)) return `skipped, no ${compiler}`;
  const functions = new Set(readFileSync(join(native, 'binding.c'), 'utf8').match(/\bnapi_[a-z0-9_]+(?=\()/g));
  writeFileSync(join(folder, 'node.def'), `NAME node.exe\nEXPORTS\n${[...functions].join('\n')}\n`);
  const made = spawnSync(dlltool, ['-d', join(folder, 'node.def'), '-l', join(folder, 'libnode.a')]);
  if (made.status !== 0) return `${dlltool} failed`;
  const args = [...WARNINGS, ...DEFINES, '-O2', '-shared', '-s', `-I${join(nodedir, 'include/node')}`];
  const output = ['-o', join(folder, 'thread_control.node')];
  const sources = ['binding.c', 'thread_win32.c'].map((source) => join(native, source));
  // libraries come after what needs them
  return compile(compiler, [...args, ...output, ...sources, `-L${folder}`, '-lnode', '-lavrt'], []);
}

function checkMac() {
  const compiler = ['clang', 'gcc'].find(works);
  if (compiler === undefined) return 'skipped, no clang';
  return compile(
    compiler,
    [...WARNINGS, '-fsyntax-only', `-I${join(root, 'test/native/darwin-stubs')}`],
    ['thread_darwin.c'],
  );
}

if (nodedir === undefined) {
  console.log("native addon: not built (Node's headers are missing: set npm_config_nodedir)");
  process.exitCode = 1;
} else {
  for (const target of LINUX_TARGETS) report(`${target.folder} ${target.libc}`, buildLinux(target));
  if (process.argv.includes('--check')) {
    // where a test that has Wine finds it
    const folder = join(native, 'build/win32-x64');
    mkdirSync(folder, { recursive: true });
    report('win32-x64 (compiled and linked)', checkWindows(folder));
    report('darwin (syntax against stubs, not run)', checkMac());
    report('other platforms', compile('cc', [...WARNINGS, '-fsyntax-only'], ['thread_none.c']));
  }
}
