import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connectTelemetry } from 'frame-deadline/telemetry-client';
import { machine } from './harness/machine.js';
import { figure } from './harness/table.js';
import { watchStops } from './soak/machine-stops.js';
import { readProcess } from './soak/process-reader.js';
import { soakPlot, soakSection, stopsOf, withSection } from './soak/result.js';
import { faults, growth, missed } from './soak/verdict.js';

// The entry: `npm run soak -- [--minutes N] [--seed S] ...`. Runs the demo for so long, looks at it as a user would, and
// ends non-zero if memory, handles or threads grow, or if more is missed than is allowed. Expects a built package.

const USAGE = `usage: npm run soak -- [options]
  --minutes N           how long (default 30)
  --seed S              of the demo's gesture (default 1)
  --load N              CPU hogs beside it (default 2)
  --priority LEVEL      normal, high or realtime (default realtime)
  --every-ms N          from sample to sample (default 5000, or a fiftieth of the time where that is less)
  --max-xruns N         more of them fail (default 0)
  --max-miss-percent P  more missed frames, or jobs of a lane, fail (default 1)
  --out DIR             soak.json, soak.svg and soak.md go there (default soak, in the folder for temporary files)
  --docs                also docs/plots/soak.svg, and the section "Soak" of docs/reliability.md`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    load: { type: 'string', default: '2' },
    priority: { type: 'string', default: 'realtime' },
    'every-ms': { type: 'string' },
    'max-xruns': { type: 'string', default: '0' },
    'max-miss-percent': { type: 'string', default: '1' },
    out: { type: 'string', default: join(tmpdir(), 'soak') },
    docs: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const minutes = amount('minutes', 0.05, 600);
const everyMs = values['every-ms'] === undefined ? Math.min(5000, minutes * 1200) : amount('every-ms', 50, 60_000);
const limits = { maxXruns: amount('max-xruns', 0, 1e9), maxMissPercent: amount('max-miss-percent', 0, 100) };
/** Threads, modules, compiled code, two minutes of music; then the sound of half an hour rendered once more. */
const START_TIMEOUT_MS = 90_000;
const ANSWER_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 60_000 + minutes * 20_000;

const { seed, load, priority } = values;
const folder = mkdtempSync(join(tmpdir(), 'soak-'));
const socket =
  process.platform === 'win32' ? `\\\\.\\pipe\\frame-deadline-soak-${process.pid}` : join(folder, 'telemetry.sock');
const demoArgs = ['demo', '--seconds', String(minutes * 60), '--seed', seed, '--load', load, '--priority', priority];
try {
  process.exitCode = await soak();
} finally {
  // the sound of half an hour is 700 MB
  rmSync(folder, { recursive: true, force: true });
}

function amount(name, min, max) {
  const value = Number(values[name]);
  if (values[name].trim() !== '' && value >= min && value <= max) return value;
  console.error(`--${name} ${values[name]} given, ${min} to ${max} expected\n${USAGE}`);
  process.exit(2);
}

async function soak() {
  const demo = startDemo();
  const machineStops = watchStops();
  let samples = [];
  try {
    samples = await sampleUntilEnd(demo, machineStops);
    demo.endWithin(END_TIMEOUT_MS);
    await demo.ended;
  } finally {
    demo.endWithin(0);
    machineStops.end();
  }
  const report = demo.report();
  const problems = faults(samples, report, limits);
  const command = `npm run soak -- --minutes ${values.minutes} --seed ${seed} --load ${load} --priority ${priority}`;
  const result = { schemaVersion: 1, command, machine: machine(), minutes, everyMs, limits, faults: problems };
  write({ ...result, report, samples });
  print(samples, report);
  for (const problem of problems) console.error(`FAILED: ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

/** The demo as a process of its own, with the probe in its main thread. */
function startDemo() {
  const probe = new URL('./soak/probe.js', import.meta.url).href;
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  const files = ['--serve', socket, '--out', folder, '--json', '--quiet', '--no-report'];
  const child = spawn(process.execPath, ['--import', probe, main, ...demoArgs, ...files], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let text = '';
  let isOver = false;
  let memory = { heapUsed: null, heapTotal: null, external: null, arrayBuffers: null, handles: null };
  child.stdout.setEncoding('utf8').on('data', (part) => {
    text += part;
  });
  child.on('message', (message) => {
    memory = message;
  });
  const ended = new Promise((done) => {
    child.on('error', (error) => {
      console.error(error.message);
      isOver = true;
      done();
    });
    child.on('close', () => {
      isOver = true;
      done();
    });
  });
  const stop = () => process.exit(130);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('exit', () => {
    if (!isOver) child.kill('SIGKILL');
  });
  return {
    pid: child.pid,
    ended,
    isOver: () => isOver,
    memory: () => memory,
    report() {
      if (child.exitCode !== 0) console.error(`the demo ended with ${child.signalCode ?? `status ${child.exitCode}`}`);
      return child.exitCode === 0 ? JSON.parse(text) : null;
    },
    /** Kills it if it has not ended by then. */
    endWithin(ms) {
      if (isOver) return;
      if (ms === 0) child.kill('SIGKILL');
      else setTimeout(() => isOver || child.kill('SIGKILL'), ms).unref();
    },
  };
}

/** The demo's telemetry socket, as soon as there is one; null if it never comes. */
async function connected(demo) {
  for (const begunMs = performance.now(); performance.now() - begunMs < START_TIMEOUT_MS; await sleep(20)) {
    if (demo.isOver()) return null;
    try {
      return await connectTelemetry(socket, { timeoutMs: ANSWER_TIMEOUT_MS });
    } catch (error) {
      if (error.code !== 'TELEMETRY_UNREACHABLE') throw error;
    }
  }
  return null;
}

async function sampleUntilEnd(demo, machineStops) {
  const client = await connected(demo);
  if (client === null) {
    demo.endWithin(0);
    return [];
  }
  const samples = [];
  const begunMs = performance.now();
  try {
    for (let n = 1; ; n++) {
      const answer = await client.telemetry({ records: false });
      const atS = (performance.now() - begunMs) / 1000;
      samples.push({ ...sample(answer, demo, atS), ...machineStops.take() });
      const waited = sleep(Math.max(0, begunMs + n * everyMs - performance.now()), false);
      if ((await Promise.race([waited, client.ended.then(() => true)])) || demo.isOver()) break;
    }
  } catch (error) {
    // it ends when the sound is over, perhaps with a question under way
    if (error.code !== 'TELEMETRY_ENDED') throw error;
  } finally {
    client.close();
  }
  return samples;
}

function sample({ telemetry, streams }, demo, atS) {
  const { lanes, loops } = telemetry;
  const misses = lanes.map(({ name, tasks }) => [name, tasks.reduce((sum, task) => sum + task.misses, 0)]);
  return {
    atS: Math.round(atS * 1000) / 1000,
    misses: Object.fromEntries(misses),
    missedFrames: loops.reduce((sum, loop) => sum + loop.missedFrames + loop.droppedTicks, 0),
    xruns: streams.reduce((sum, { underruns }) => sum + underruns, 0),
    ...readProcess(demo.pid),
    ...demo.memory(),
  };
}

function write(result) {
  const out = resolve(values.out);
  mkdirSync(out, { recursive: true });
  const svg = soakPlot(result);
  const section = soakSection(result);
  writeFileSync(join(out, 'soak.json'), `${JSON.stringify(result, null, 1)}\n`);
  writeFileSync(join(out, 'soak.svg'), svg);
  writeFileSync(join(out, 'soak.md'), section);
  console.log(`written: ${out}`);
  if (!values.docs) return;
  const docs = fileURLToPath(new URL('../docs/', import.meta.url));
  writeFileSync(join(docs, 'plots/soak.svg'), svg);
  const page = join(docs, 'reliability.md');
  writeFileSync(page, withSection(readFileSync(page, 'utf8'), section));
}

function print(samples, report) {
  console.log(`${samples.length} samples`);
  if (report !== null) {
    for (const { what, misses, of } of missed(report)) console.log(`${what}: ${misses} of ${of} missed`);
    console.log(`xruns: ${report.audio.xruns} in ${report.audio.blocks} blocks`);
  }
  console.log(stopsOf(samples));
  for (const { what, unit, from, to } of growth(samples)) {
    console.log(`${what}: ${figure(from)} -> ${figure(to)} ${unit}`.trimEnd());
  }
}
