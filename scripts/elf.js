// What a prebuild for Linux asks of the system that loads it.
import { spawnSync } from 'node:child_process';
import { MAX_GLIBC } from './native-tools.js';

const MACHINES = { x64: 'X86-64', arm64: 'AArch64' };

/**
 * Reads a shared object with binutils' readelf (of any processor): `machine` in words, the libraries that it names as
 * `needed`, the versions of symbols that it wants of them, such as `GLIBC_2.17`, and whether it `exports` the entry of
 * Node-API. Throws if readelf cannot read it.
 */
export function readShared(file) {
  const { status, stdout, stderr } = spawnSync('readelf', ['-W', '-h', '-d', '-V', '--dyn-syms', file], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`readelf ${file}: ${stderr ?? 'is not there (package binutils)'}`);
  return {
    machine: /^\s*Machine:\s+(.*)$/m.exec(stdout)?.[1] ?? '',
    needed: [...stdout.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1]),
    versions: [...new Set([...stdout.matchAll(/Name: ([A-Z_]+_[0-9.]+)/g)].map((match) => match[1]))],
    exports: /\bGLOBAL\s+DEFAULT\s+\d+ napi_register_module_v1$/m.test(stdout),
  };
}

/** Whether dotted version `a` is newer than `b`. */
export function isNewer(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  const at = left.findIndex((part, i) => part !== (right[i] ?? 0));
  return at >= 0 && left[at] > (right[at] ?? 0);
}

/** Null, or why the prebuild would not load on every system that it is for. */
export function problemOf(file, { arch, libc }) {
  const { machine, needed, versions, exports } = readShared(file);
  if (!machine.includes(MACHINES[arch])) return `is for ${machine}, expected ${MACHINES[arch]}`;
  if (!exports) return 'does not export napi_register_module_v1';
  // glibc's names its version; musl's own library is in the process already
  const expected = libc === 'glibc' ? ['libc.so.6'] : [];
  const others = needed.filter((library) => !expected.includes(library));
  if (others.length > 0) return `needs ${others.join(' and ')}`;
  const newer = versions.filter((version) => libc === 'musl' || isNewer(version.replace('GLIBC_', ''), MAX_GLIBC));
  return newer.length === 0
    ? null
    : `needs ${newer.join(' and ')}${libc === 'glibc' ? `, newer than ${MAX_GLIBC}` : ''}`;
}
