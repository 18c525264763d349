// musl's headers and C library for other processors. `node scripts/musl.js ARCH SOURCE PROGRAM` compiles a program that
// runs with musl and prints where its loader lies, for the tests of the prebuilds.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile, nodeDirectory, ROOT } from './native-tools.js';

const PROCESSORS = { x64: 'x86_64', arm64: 'aarch64' };
const DEBIAN = { x64: 'amd64', arm64: 'arm64' };

/** Debian's compiler for a processor, with glibc; musl needs other headers and no library. */
export const linuxCompiler = (arch) => `${PROCESSORS[arch]}-linux-gnu-gcc`;

/** The folder under which usr/include/<processor>-linux-musl lies; null where it is not and cannot be had. */
export function muslRoot(arch) {
  const cached = join(ROOT, 'node_modules/.cache/frame-deadline', `musl-${arch}`);
  const headers = join('usr/include', `${PROCESSORS[arch]}-linux-musl`, 'pthread.h');
  const found = ['/', cached].find((root) => existsSync(join(root, headers)));
  return found ?? (fetchDebian(DEBIAN[arch], ['musl-dev', 'musl'], cached) ? cached : null);
}

/** Unpacks packages of another processor into `target`, with lists of its own: the system's apt is left as it is. */
function fetchDebian(architecture, packages, target) {
  const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-musl-'));
  try {
    for (const name of ['lists/partial', 'cache/archives/partial', 'root']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    const settings = {
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      'APT::Sandbox::User': 'root',
      'Dir::State::lists': join(folder, 'lists'),
      'Dir::State::status': '/dev/null',
      'Dir::Cache': join(folder, 'cache'),
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    const run = (command, args) => spawnSync(command, args, { cwd: folder, stdio: 'ignore', timeout: 120_000 });
    run('apt-get', ['-qq', ...options, 'update']);
    if (run('apt-get', ['-qq', ...options, 'download', ...packages]).status !== 0) return false;
    const archives = readdirSync(folder).filter((name) => name.endsWith('.deb'));
    if (archives.some((archive) => run('dpkg', ['-x', archive, 'root']).status !== 0)) return false;
    rmSync(target, { recursive: true, force: true });
    mkdirSync(join(target, '..'), { recursive: true });
    spawnSync('cp', ['-a', join(folder, 'root'), target]);
    return existsSync(target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes a compiler for glibc one for musl: musl's headers, the compiler's own, and nothing to link with. */
export function muslFlags(arch, root) {
  const own = spawnSync(linuxCompiler(arch), ['-print-file-name=include'], { encoding: 'utf8' }).stdout?.trim();
  const flags = ['-nostdinc', '-isystem', join(root, 'usr/include', `${PROCESSORS[arch]}-linux-musl`), '-isystem', own];
  // the helpers of libgcc ask glibc which atomics the processor has
  return [...flags, '-nostdlib', ...(arch === 'arm64' ? ['-mno-outline-atomics'] : [])];
}

/** Compiles a program. Null, or what is wrong. */
function compileProgram(arch, root, library, source, program) {
  const processor = PROCESSORS[arch];
  const object = (name) => join(root, `usr/lib/${processor}-linux-musl`, name);
  // not position-independent: musl's package has the start code for that only here and there
  const flags = ['-std=c11', '-Wall', '-Wextra', '-Werror', '-no-pie', '-fno-pie', '-rdynamic', '-pthread'];
  const link = [`-Wl,-dynamic-linker,/lib/ld-musl-${processor}.so.1`, '-o', program];
  const files = [object('crt1.o'), object('crti.o'), source, library, object('crtn.o')];
  const headers = ['-isystem', join(nodeDirectory() ?? '', 'include/node')];
  return compile(linuxCompiler(arch), [...flags, ...muslFlags(arch, root), ...headers, ...link, ...files]);
}

if (process.argv[1] === import.meta.filename) {
  const [arch, source, program] = process.argv.slice(2);
  const root = muslRoot(arch);
  const folder = `lib/${PROCESSORS[arch]}-linux-musl/libc.so`;
  const library = root && [join(root, folder), join(root, 'usr', folder)].find((file) => existsSync(file));
  const problem = library ? compileProgram(arch, root, library, source, program) : `no musl for ${arch}`;
  if (problem === null) console.log(library);
  else console.error(problem);
  process.exitCode = problem === null ? 0 : 1;
}
