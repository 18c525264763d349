// `npm run torture -- [--minutes N] [--seed S] [--round R]`: see docs/reliability.md. This process watches the one that is
// tortured, and does to it what nobody can do to himself: stops and continues it, and tells how it ended.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    round: { type: 'string' },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (Number.isFinite(Number(value)) && value !== '') continue;
  console.error(`--${name} is ${value}, expected a number`);
  process.exit(2);
}

/** No round takes that long: its own watchdog speaks before, unless the main thread is blocked. */
const PATIENCE_MS = 90_000;

const here = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const round = values.round === undefined ? [] : ['--round', values.round];
console.log(`seed ${values.seed}`);
const child = fork(here('./rounds.js'), ['--seed', values.seed, '--minutes', values.minutes, ...round], {
  execArgv: [...process.execArgv, '--import', new URL('./supervisor-faults.js', import.meta.url).href],
});
let present = -1;
let blocks = '';
/** @type {NodeJS.Timeout | undefined} */
let watchdog;
let isStuck = false;

child.on('message', (/** @type {any} */ message) => {
  if (message.stop !== undefined && process.platform !== 'win32') {
    child.kill('SIGSTOP');
    setTimeout(() => child.kill('SIGCONT'), message.stop);
  }
  if (message.blocks !== undefined) blocks = message.blocks;
  if (message.round === undefined) return;
  present = message.round;
  clearTimeout(watchdog);
  watchdog = setTimeout(() => {
    isStuck = true;
    child.kill('SIGKILL');
  }, PATIENCE_MS);
});
child.on('exit', (code, signal) => {
  clearTimeout(watchdog);
  if (code === 0 || code === 1) {
    process.exitCode = code;
    return;
  }
  process.exitCode = 1;
  const why = isStuck
    ? `its main thread did nothing for ${PATIENCE_MS} ms${blocks === '' ? '' : `, blocked in ${blocks}`}`
    : `the process ended with ${signal ?? `exit code ${code}`}`;
  console.error(`round ${present} FAILED:\n  ${why}`);
  console.error(`  again: npm run torture -- --seed ${values.seed} --round ${present}`);
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => child.kill('SIGKILL'));
