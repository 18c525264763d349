// Coverage-guided fuzzing: `npm run fuzz -- [--seconds N] [--seed S] [--save] [TARGET...]`, N for each target (default 10).
//
// Inputs that run code which no input before ran are kept and changed further. What was run is V8's block coverage, taken
// in the process by node:inspector. (Jazzer.js 4.0.0 would do it faster; its library for Linux needs glibc 2.38, which
// is newer than that of distributions in use, and it cannot be built without a download.) A thread does the work and
// this one watches it: an input that does not end is told of too. With --save, inputs that ran new code go to
// test/fuzz/corpus. A failing input is written to the directory of temporary files; `--input FILE TARGET` runs one.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

const CORPUS = fileURLToPath(new URL('../test/fuzz/corpus/', import.meta.url));
const MAX_INPUT_BYTES = 32_768;
/** Inputs that are run before the coverage is looked at: a look costs as much as many inputs. */
const BATCH = 32;
/** An input takes microseconds to milliseconds. */
const PATIENCE_MS = 15_000;
const INTERESTING = [0, 1, -1, 127, 128, 255, 256, 32_767, 65_535, 2 ** 31 - 1, -(2 ** 31), 0x1_0000];

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      save: { type: 'boolean', default: false },
      input: { type: 'string' },
    },
  });
  const { TARGETS } = await import('../test/fuzz/targets/index.js');
  const names = positionals.length === 0 ? Object.keys(TARGETS) : positionals;
  for (const name of names) {
    if (Object.hasOwn(TARGETS, name)) continue;
    console.error(`unknown target ${name}, one of ${Object.keys(TARGETS).join(', ')} expected`);
    process.exitCode = 2;
    return;
  }
  if (values.input !== undefined) {
    for (const name of names) TARGETS[name].run(readFileSync(values.input));
    return;
  }
  console.log(`seed ${values.seed}`);
  for (const name of names) {
    if (!(await watch(name, Number(values.seconds), Number(values.seed), values.save))) process.exitCode = 1;
  }
}

/** Runs one target in a thread; false if it failed or did not end. */
async function watch(name, seconds, seed, save) {
  // runs so far, length of the present input, its bytes
  const shared = new SharedArrayBuffer(8 + MAX_INPUT_BYTES);
  const words = new Int32Array(shared, 0, 2);
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { name, seconds, seed, shared, save } });
  let seen = -1;
  let seenAtMs = performance.now();
  let failure = null;
  const timer = setInterval(() => {
    const runs = Atomics.load(words, 0);
    if (runs !== seen) {
      seen = runs;
      seenAtMs = performance.now();
    } else if (performance.now() - seenAtMs > PATIENCE_MS) {
      failure = { message: `an input has not ended after ${PATIENCE_MS} ms` };
      void worker.terminate();
    }
  }, 500);
  worker.on('message', (message) => {
    if (message.failure !== undefined) failure = message.failure;
    else console.log(`${name}: ${message.text}`);
  });
  worker.on('error', (error) => {
    failure ??= { message: error.stack };
  });
  await new Promise((resolve) => worker.once('exit', resolve));
  clearInterval(timer);
  if (failure === null) return true;
  const file = join(tmpdir(), `fuzz-${name}-${seed}`);
  writeFileSync(file, new Uint8Array(shared, 8, words[1]).slice());
  console.error(`${name}: seed ${seed}: ${failure.message}\nthe input: npm run fuzz -- --input ${file} ${name}`);
  return false;
}

async function work({ name, seconds, seed, shared, save }) {
  // before the code is loaded: what was compiled before tells only which functions were called
  const covered = new Coverage();
  const { TARGETS } = await import('../test/fuzz/targets/index.js');
  const target = TARGETS[name];
  const words = new Int32Array(shared, 0, 2);
  const present = new Uint8Array(shared, 8);
  const generator = xoroshiro128plus(seed);
  const below = (bound) => (generator.next() >>> 0) % bound;
  const corpus = [...target.seeds, ...kept(name)].map((input) => Uint8Array.from(input.subarray(0, MAX_INPUT_BYTES)));
  let failed = false;

  const run = (input) => {
    present.set(input);
    Atomics.store(words, 1, input.length);
    Atomics.add(words, 0, 1);
    try {
      target.run(input);
    } catch (error) {
      // every error of the package has a stable code
      if (error?.name === 'FrameDeadlineError') return;
      failed = true;
      parentPort.postMessage({ failure: { message: String(error?.stack ?? error) } });
    }
  };

  for (const input of corpus) {
    run(input);
    if (failed) return;
  }
  covered.look();
  const endMs = performance.now() + seconds * 1000;
  let found = 0;
  while (performance.now() < endMs) {
    const batch = [];
    for (let i = 0; i < BATCH; i++) {
      const input = changed(corpus, target.words, below);
      batch.push(input);
      run(input);
      if (failed) return;
    }
    if (!covered.look()) continue;
    // one of these ran something new; the coverage of the batch is known by now, so it is told by what it runs first
    covered.forgetLast();
    for (const input of batch) {
      run(input);
      if (!covered.look()) continue;
      corpus.push(input);
      found++;
      if (save) keep(name, input);
    }
  }
  parentPort.postMessage({
    text: `${words[0]} inputs, ${found} new ways, ${covered.size} blocks, corpus ${corpus.length}`,
  });
}

/** Blocks of the package's code that were run. */
class Coverage {
  constructor() {
    this.session = new Session();
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    this.blocks = new Set();
    this.last = [];
  }

  get size() {
    return this.blocks.size;
  }

  /** Whether blocks were run since the last look that were never run before. */
  look() {
    this.last = [];
    this.session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error;
      for (const { url, functions } of taken.result) {
        if (!url.includes('/dist/')) continue;
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            if (count === 0) continue;
            const block = `${url}:${startOffset}-${endOffset}`;
            if (this.blocks.has(block)) continue;
            this.blocks.add(block);
            this.last.push(block);
          }
        }
      }
    });
    return this.last.length > 0;
  }

  /** What the last look found counts as new once more. */
  forgetLast() {
    for (const block of this.last) this.blocks.delete(block);
  }
}

function kept(name) {
  try {
    return readdirSync(join(CORPUS, name)).map((file) => readFileSync(join(CORPUS, name, file)));
  } catch {
    return [];
  }
}

function keep(name, input) {
  mkdirSync(join(CORPUS, name), { recursive: true });
  let hash = 0x811c9dc5;
  for (const byte of input) hash = Math.imul(hash ^ byte, 0x0100_0193) >>> 0;
  writeFileSync(join(CORPUS, name, hash.toString(16).padStart(8, '0')), input);
}

/** One of the corpus, changed in one to four places. */
function changed(corpus, dictionary, below) {
  let input = Array.from(corpus[below(corpus.length)]);
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(input.length + 1);
    const kind = below(9);
    if (kind === 0 && input.length > 0) input[at % input.length] ^= 1 << below(8);
    else if (kind === 1 && input.length > 0) input[at % input.length] = below(256);
    else if (kind === 2) input.splice(at, 0, below(256));
    else if (kind === 3) input.splice(at, 1 + below(8));
    else if (kind === 4) input.splice(at, 0, ...input.slice(at, at + 1 + below(16)));
    else if (kind === 5 && dictionary.length > 0)
      input.splice(at, below(6), ...Buffer.from(dictionary[below(dictionary.length)]));
    else if (kind === 6) {
      const word = Buffer.alloc(4);
      word.writeInt32LE(INTERESTING[below(INTERESTING.length)]);
      const from = at & ~3;
      for (let i = 0; i < 4; i++) input[from + i] = word[i];
      for (let i = 0; i < input.length; i++) input[i] ??= 0;
    } else if (kind === 7) {
      const other = corpus[below(corpus.length)];
      const from = below(other.length + 1);
      input.splice(at, below(32), ...other.subarray(from, from + below(64)));
    } else if (kind === 8) input.splice(at, below(4), ...Buffer.from(String(INTERESTING[below(INTERESTING.length)])));
  }
  if (input.length > MAX_INPUT_BYTES) input = input.slice(0, MAX_INPUT_BYTES);
  return Uint8Array.from(input);
}

if (isMainThread) await main();
else await work(workerData);
