// Makes the tarball that is published: builds dist and the prebuilds of this platform, checks that nothing is missing,
// and packs. Arguments for tests and the release:
//   --all                  prebuilds for Windows and macOS must be in native/prebuilds too
//   --allow-missing        packs without the prebuilds that are not there, and names them
//   --destination FOLDER   where the tarball goes, by default here
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LINUX_PREBUILDS, npmScript, OTHER_PREBUILDS, PREBUILDS, ROOT } from './native-tools.js';

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    'allow-missing': { type: 'boolean', default: false },
    destination: { type: 'string', default: '.' },
  },
});

function fail(message) {
  console.error(`not packed: ${message}`);
  process.exit(1);
}

const run = (script, ...args) =>
  spawnSync(process.execPath, [join(ROOT, script), ...args], { stdio: 'inherit' }).status;

/** Built files whose source is gone: they would be published. */
function leftovers() {
  const built = readdirSync(join(ROOT, 'dist'), { recursive: true, encoding: 'utf8' });
  const source = (name) => join(ROOT, 'src', name.replace(/\.d\.ts$|\.js$/, '.ts'));
  return built.filter((name) => /\.(js|d\.ts)$/.test(name) && !existsSync(source(name)));
}

if (run('scripts/build.js') !== 0) fail('dist could not be built');
const stale = leftovers();
if (stale.length > 0) fail(`dist has files without a source (node scripts/build.js --clean): ${stale.join(', ')}`);
if (run('scripts/prebuild-native.js') !== 0) fail('a prebuild could not be built');

const missing = (prebuilds) => prebuilds.map(({ file }) => file).filter((file) => !existsSync(join(PREBUILDS, file)));
const [required, others] = [missing(LINUX_PREBUILDS), missing(OTHER_PREBUILDS)];
if (values.all) required.push(...others.splice(0));
if (required.length > 0 && !values['allow-missing']) fail(`prebuilds are missing: ${required.join(', ')}`);
const absent = [...required, ...others];
if (absent.length > 0) console.log(`packed without prebuilds for: ${absent.join(', ')}`);

mkdirSync(values.destination, { recursive: true });
const npm = npmScript();
if (npm === undefined) fail('npm is missing');
const args = [npm, 'pack', '--json', '--ignore-scripts', '--pack-destination', values.destination];
const output = execFileSync(process.execPath, args, {
  cwd: ROOT,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [{ filename, size, files }] = JSON.parse(output);
const packed = new Set(files.map(({ path }) => path));
const prebuilt = [...LINUX_PREBUILDS, ...OTHER_PREBUILDS]
  .map(({ file }) => file)
  .filter((file) => !absent.includes(file));
const left = prebuilt.filter((file) => !packed.has(`native/prebuilds/${file.replaceAll('\\', '/')}`));
if (left.length > 0) fail(`npm left prebuilds out: ${left.join(', ')}`);
console.log(`${join(values.destination, filename)} (${Math.round(size / 1000)} kB)`);
