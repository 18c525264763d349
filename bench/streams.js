import { Worker } from 'node:worker_threads';
import { installRivals } from './harness/install-rivals.js';
import { ratio, row } from './harness/stats.js';

export const describe = 'audio blocks of 128 stereo sample frames from one worker to another, beside ringbuf.js';

const SAMPLES = 256;
const BLOCK_BYTES = SAMPLES * 4;
const PACE_BYTES_PER_S = 100e6;
const TICK_MS = 1;
const CAPACITY_BLOCKS = 256;
/** Words shared with stream-party.js. */
const STARTED = 0;
const GO = 1;
const READ = 2;
const SUM = 3;

const RINGS = [
  { label: 'StreamRing', module: './workers/stream-ring.js' },
  { label: 'StreamRing, read in place', module: './workers/stream-ring-in-place.js' },
  { label: 'ringbuf.js', module: './rivals/ringbuf.js' },
];
const NO_RING = { label: 'two threads that sleep and move nothing', module: null };

export async function run({ quick }) {
  const rounds = quick ? 2 : 7;
  const most = quick ? 100_000 : 2_000_000;
  const seconds = quick ? 0.2 : 2;
  const isThere = installRivals((line) => console.log(`  ${line}`));
  const notes = isThere ? [] : ['SKIPPED: ringbuf.js: not installed'];
  const rings = RINGS.filter(({ label }) => isThere || label !== 'ringbuf.js').map((ring) => ({ ...ring, rates: [] }));
  const paced = [...rings, NO_RING].map((ring) => ({ ...ring, shares: [] }));
  const blocksPerTick = Math.round((PACE_BYTES_PER_S / BLOCK_BYTES) * (TICK_MS / 1000));
  const pacedBlocks = Math.round(blocksPerTick * ((seconds * 1000) / TICK_MS));
  for (let round = -1; round < rounds; round++) {
    for (const { module, rates } of rings) {
      const { tookMs } = await transfer({ module, blocks: most, tickMs: 0, blocksPerTick: 0 });
      if (round >= 0) rates.push(most / tookMs / 1000);
    }
    for (const { module, shares } of paced) {
      const { tookMs, cpuMs } = await transfer({ module, blocks: pacedBlocks, tickMs: TICK_MS, blocksPerTick });
      if (round >= 0) shares.push((100 * cpuMs) / tookMs);
    }
  }
  const rows = rings.map(({ label, rates }) => row(label, 'M blocks/s', rates));
  const rival = rings.find(({ label }) => label === 'ringbuf.js');
  const idle = paced.at(-1).shares;
  if (rival !== undefined) {
    for (const { label, rates } of rings) {
      if (label !== 'ringbuf.js') rows.push(ratio(`  ${label}: faster than ringbuf.js`, rates, rival.rates));
    }
  }
  rows.push(...paced.map(({ label, shares }) => row(`100 MB/s: ${label}`, '% of a core', shares)));
  const net = ({ shares }) => shares.map((share, i) => Math.max(0.01, share - idle[i]));
  const pacedRival = paced.find(({ label }) => label === 'ringbuf.js');
  if (pacedRival !== undefined) {
    for (const ring of paced.filter((one) => one !== pacedRival && one.module !== null)) {
      rows.push(ratio(`  ${ring.label}: cheaper than ringbuf.js, without the sleeping`, net(pacedRival), net(ring)));
    }
  }
  notes.push(`most: both sides spin, ring of ${CAPACITY_BLOCKS} blocks of 1 KiB; each side copies once unless told`);
  notes.push(`100 MB/s: both sides wake every ${TICK_MS} ms and move what is due; CPU time of the whole process`);
  return { rows, notes };
}

async function transfer({ module, blocks, tickMs, blocksPerTick }) {
  const url = module === null ? null : new URL(module, import.meta.url).href;
  const memory = url === null ? null : (await import(url)).allocate(CAPACITY_BLOCKS, SAMPLES);
  const flags = new Int32Array(new SharedArrayBuffer(32));
  const workers = ['producer', 'consumer'].map(
    (side) =>
      new Worker(new URL('./workers/stream-party.js', import.meta.url), {
        workerData: { module: url, memory, side, blocks, samples: SAMPLES, tickMs, blocksPerTick, flags },
      }),
  );
  const exits = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
  while (Atomics.load(flags, STARTED) < 2) await new Promise((resolve) => setTimeout(resolve, 2));
  const before = process.cpuUsage();
  const start = performance.now();
  Atomics.store(flags, GO, 1);
  Atomics.notify(flags, GO);
  Atomics.wait(flags, READ, 0);
  const tookMs = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  await Promise.all(exits);
  if (flags[SUM] !== 1) throw new Error('the blocks did not arrive as they were written');
  return { tookMs, cpuMs: (user + system) / 1000 };
}
