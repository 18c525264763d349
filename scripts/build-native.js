// Builds the optional native addon from source: native/build/Release. Needs a C compiler, make and Python. Where they
// or Node's headers are missing it says so in one line and goes on: everything works without the addon.
import { buildWithNodeGyp } from './native-tools.js';

const problem = buildWithNodeGyp();
if (problem === null) console.log('native addon: built in native/build/Release');
else console.log(`native addon: not built (${problem}); everything works without it, with less`);
if (problem !== null && process.argv.includes('--required')) process.exitCode = 1;
