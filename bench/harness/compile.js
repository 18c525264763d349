import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const sourceDir = fileURLToPath(new URL('../c/', import.meta.url));
const buildDir = fileURLToPath(new URL('../build/', import.meta.url));

/**
 * Builds bench/c/NAME.c into bench/build with the system's C compiler, if it changed. Returns the program's path, or
 * null where no compiler is there or it fails.
 */
export function compile(name) {
  if (process.platform !== 'linux') return null;
  const source = `${sourceDir}${name}.c`;
  const program = `${buildDir}${name}`;
  const changedMs = Math.max(...[source, `${sourceDir}thread.h`].map((file) => statSync(file).mtimeMs));
  if (existsSync(program) && statSync(program).mtimeMs > changedMs) return program;
  mkdirSync(buildDir, { recursive: true });
  const built = spawnSync(process.env.CC ?? 'cc', ['-O2', '-pthread', '-o', program, source], { stdio: 'ignore' });
  return built.status === 0 ? program : null;
}

/** Runs a program that prints one JSON object. */
export function runJson(program, args) {
  return JSON.parse(execFileSync(program, args, { encoding: 'utf8' }));
}

export const NO_COMPILER = 'no C compiler found (cc, or what CC names): the comparison with C was left out';
