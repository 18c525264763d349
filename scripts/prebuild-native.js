// Builds the native addon for the machines that it is shipped for, one line each, into native/prebuilds/, where
// node-gyp-build finds it. On Linux: x64 and arm64, each for glibc and musl, with Debian's compilers (packages gcc,
// gcc-aarch64-linux-gnu, musl-dev). On Windows and macOS: x64 and arm64, with node-gyp. What has no compiler is skipped;
// `--required`: then the command fails. `--check`: on Linux, also what can only be checked there.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { problemOf } from './elf.js';
import { linuxCompiler, muslFlags, muslRoot } from './musl.js';
import * as tools from './native-tools.js';

const { NATIVE, PREBUILDS, ROOT, works } = tools;
const DEFINES = ['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=thread_control'];
const WARNINGS = ['-std=c11', '-Wall', '-Wextra', '-Werror'];
const SHARED = [...WARNINGS, ...DEFINES, '-O2', '-fPIC', '-shared', '-fvisibility=hidden', '-s', '-pthread'];
/** As native/binding.gyp has them. */
const sources = (platform) =>
  readdirSync(NATIVE)
    .filter((name) => name === 'binding.c' || (name.startsWith(`thread_${platform}`) && name.endsWith('.c')))
    .map((name) => join(NATIVE, name));
const directory = tools.nodeDirectory();
const nodeHeaders = ['-isystem', join(directory ?? '', 'include/node')];

function report(what, problem) {
  console.log(`${what}: ${problem === null ? 'ok' : problem}`);
  const isSkip = problem?.startsWith('skipped') && !process.argv.includes('--required');
  if (problem !== null && !isSkip) process.exitCode = 1;
}

function buildForLinux({ arch, libc, file }) {
  const output = join(PREBUILDS, file);
  rmSync(output, { force: true });
  if (directory === undefined) return "skipped, no headers of Node's (set npm_config_nodedir)";
  const compiler = linuxCompiler(arch);
  if (!works(compiler)) return `skipped, no ${compiler}`;
  const root = libc === 'musl' ? muslRoot(arch) : null;
  if (libc === 'musl' && root === null) return `skipped, no headers of musl for ${arch} (package musl-dev)`;
  mkdirSync(dirname(output), { recursive: true });
  const flags = root === null ? [] : muslFlags(arch, root);
  const args = [...SHARED, '-Wl,-z,nodelete', ...flags, ...nodeHeaders, '-o', output, ...sources('linux')];
  const problem = tools.compile(compiler, args) ?? problemOf(output, { arch, libc });
  if (problem !== null) rmSync(output, { force: true });
  return problem;
}

function buildWithNodeGyp({ arch, file }) {
  const problem = tools.buildWithNodeGyp(arch);
  if (problem !== null) return problem;
  const built = join(NATIVE, 'build/Release/thread_control.node');
  mkdirSync(dirname(join(PREBUILDS, file)), { recursive: true });
  copyFileSync(built, join(PREBUILDS, file));
  // what is built is found before what is prebuilt: another processor's would be in the way
  rmSync(join(NATIVE, 'build'), { recursive: true, force: true });
  return null;
}

/** Node's functions come from node.exe: an import library is made of those that the binding calls. */
function checkWindows(folder) {
  const [compiler, dlltool] = ['x86_64-w64-mingw32-gcc', 'x86_64-w64-mingw32-dlltool'];
  if (!works(compiler)) return `skipped, no ${compiler}`;
  const functions = new Set(readFileSync(join(NATIVE, 'binding.c'), 'utf8').match(/\bnapi_[a-z0-9_]+(?=\()/g));
  writeFileSync(join(folder, 'node.def'), `NAME node.exe\nEXPORTS\n${[...functions].join('\n')}\n`);
  const importLibrary = tools.compile(dlltool, ['-d', join(folder, 'node.def'), '-l', join(folder, 'libnode.a')]);
  if (importLibrary !== null) return importLibrary;
  const flags = [...WARNINGS, ...DEFINES, '-O2', '-shared', '-s', ...nodeHeaders];
  const output = ['-o', join(folder, 'thread_control.node')];
  // libraries come after what needs them
  return tools.compile(compiler, [...flags, ...output, ...sources('win32'), `-L${folder}`, '-lnode']);
}

/** Against declarations that follow Apple's headers: test/native/darwin-stubs. */
function checkMac(processor) {
  if (!works('clang')) return 'skipped, no clang';
  const stubs = join(ROOT, 'test/native/darwin-stubs');
  const target = [`--target=${processor}-apple-macos11`, '-ffreestanding', '-nostdlibinc'];
  const headers = [`-I${stubs}`, `-I${join(stubs, 'libc')}`, ...nodeHeaders];
  return tools.compile('clang', [
    ...WARNINGS,
    ...DEFINES,
    '-fsyntax-only',
    ...target,
    ...headers,
    ...sources('darwin'),
  ]);
}

if (process.platform === 'linux') {
  for (const target of tools.LINUX_PREBUILDS) report(`linux-${target.arch} ${target.libc}`, buildForLinux(target));
} else {
  const targets = tools.OTHER_PREBUILDS.filter(({ platform }) => platform === process.platform);
  for (const target of targets) report(`${target.platform}-${target.arch}`, buildWithNodeGyp(target));
  if (targets.length === 0) report(process.platform, 'skipped, no prebuilds for this platform');
}
if (process.argv.includes('--check')) {
  // where a test that has Wine finds it
  const folder = join(NATIVE, 'build/win32-x64');
  mkdirSync(folder, { recursive: true });
  report('win32-x64 (compiled and linked)', checkWindows(folder));
  report('darwin-arm64 (syntax against stubs, not run)', checkMac('arm64'));
  report('darwin-x64 (syntax against stubs, not run)', checkMac('x86_64'));
  const none = tools.compile('cc', [...WARNINGS, '-fsyntax-only', join(NATIVE, 'thread_none.c')]);
  report('other platforms', none);
}
