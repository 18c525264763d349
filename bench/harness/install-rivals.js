import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// They have a folder of their own, for their packages are no dependencies of this one, not even for development.
const folder = fileURLToPath(new URL('../rivals/', import.meta.url));
const stamp = `${folder}node_modules/.installed`;

/** Installs what the benches compare with, if that is missing or another version. Returns whether it is there. */
export function installRivals(say) {
  const lock = readFileSync(`${folder}package-lock.json`, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return true;
  say('installing the rivals: npm ci --ignore-scripts --prefix bench/rivals');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const options = { encoding: 'utf8', shell: process.platform === 'win32' };
  const ran = spawnSync(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder], options);
  if (ran.status === 0) {
    writeFileSync(stamp, lock);
    return true;
  }
  const why = /npm (?:error|ERR!) (.*)/.exec(ran.stderr ?? '')?.[1] ?? ran.error?.message ?? 'npm failed';
  say(`the rivals could not be installed (${why}): they are left out`);
  return false;
}
