// Builds the optional native addon from source: native/build/Release. Needs a C compiler, make and Python. Where they
// or Node's headers are missing it says so in one line and goes on: everything works without the addon.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Without headers on this machine node-gyp may wait for the network. */
const TIMEOUT_MS = 120_000;
const native = fileURLToPath(new URL('../native/', import.meta.url));

/** node-gyp's own script: as a dependency, or the one that npm carries. */
function nodeGyp() {
  try {
    return createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    // not a dependency
  }
  const prefix = dirname(dirname(process.execPath));
  const places = [
    process.env.npm_config_node_gyp,
    process.env.npm_execpath && join(dirname(process.env.npm_execpath), '../node_modules/node-gyp/bin/node-gyp.js'),
    join(prefix, 'lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js'),
  ];
  return places.find((place) => place && existsSync(place));
}

/** Where Node's headers lie on this machine, or nothing: then node-gyp gets them from the network. */
function headers() {
  const prefix = dirname(dirname(process.execPath));
  const places = [process.env.npm_config_nodedir, prefix];
  return places.find((place) => place && existsSync(join(place, 'include/node/node_api.h')));
}

function build() {
  const script = nodeGyp();
  if (script === undefined) return 'node-gyp is missing';
  const args = [script, 'rebuild', '-C', native, '--loglevel=error'];
  const nodedir = headers();
  if (nodedir !== undefined) args.push(`--nodedir=${nodedir}`);
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  if (status === 0) return null;
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => /error/i.test(line));
  return lines[0]?.trim() ?? (status === null ? 'node-gyp took too long' : `node-gyp ended with status ${status}`);
}

const problem = build();
if (problem === null) console.log('native addon: built in native/build/Release');
else console.log(`native addon: not built (${problem}); everything works without it, with less`);
if (problem !== null && process.argv.includes('--required')) process.exitCode = 1;
