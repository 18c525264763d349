import { setTimeout as sleep } from 'node:timers/promises';
import { GCProfiler, getHeapStatistics } from 'node:v8';
import { percentiles } from '../harness/stats.js';

// What is measured of a rival: a pool with `call(name, argument)`, which promises the result.

const IN_FLIGHT = 64;

export function measuresOf({ call }) {
  let way = 'window';
  return {
    roundTrips: ({ count, ms }) => roundTrips(call, count, ms),
    rate: async ({ ms, choose }) => {
      if (choose) way = await fasterWay(call, ms);
      return rate(call, ms, way);
    },
    frames: (options) => frames(call, options),
    garbage: ({ ms }) => garbage(call, ms),
  };
}

/** So many, or what fits in `ms`. */
async function roundTrips(call, count, ms) {
  const tookNs = new Float64Array(count);
  const bytes = new Uint8Array(64).fill(7);
  const untilMs = performance.now() + ms;
  let i = 0;
  for (; i < count && performance.now() < untilMs; i++) {
    const start = performance.now();
    bytes[0] = i;
    bytes[1] = i >>> 8;
    bytes[2] = i >>> 16;
    const answer = await call('echo', bytes);
    if (answer !== i) throw new Error(`another job's answer came back: ${answer} for ${i}`);
    tookNs[i] = (performance.now() - start) * 1e6;
  }
  return { count: i, ...percentiles(tookNs, i) };
}

/** Jobs a second. `window`: 64 in flight all the time; else 64 at once, then the next 64. */
async function rate(call, ms, way) {
  const startMs = performance.now();
  const jobs = await (way === 'window' ? inWindow : inFrames)(call, startMs + ms);
  return { perSecond: (jobs * 1000) / (performance.now() - startMs), jobs };
}

async function fasterWay(call, ms) {
  await rate(call, ms, 'window');
  const [inWindow, inFrames] = [await rate(call, ms, 'window'), await rate(call, ms, 'frames')];
  return inWindow.perSecond > inFrames.perSecond ? 'window' : 'frames';
}

async function inWindow(call, untilMs) {
  let jobs = 0;
  const chain = async () => {
    while (performance.now() < untilMs) await call('empty', jobs++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, chain));
  return jobs;
}

async function inFrames(call, untilMs) {
  let jobs = 0;
  for (; performance.now() < untilMs; jobs += IN_FLIGHT) {
    await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => call('empty', i)));
  }
  return jobs;
}

/** Frames of `pieces` jobs at `hz`; a frame is missed if it is not done `deadlineMs` after it began. */
async function frames(call, { count, pieces, steps, hz, deadlineMs, way }) {
  const periodMs = 1000 / hz;
  const tookUs = new Float64Array(count);
  let nextMs = performance.now() + periodMs;
  for (let i = 0; i < count; i++) {
    const restMs = nextMs - performance.now();
    if (restMs > 0) await sleep(restMs);
    const startMs = performance.now();
    if (way === 'one message') await call('workAll', [pieces, steps]);
    else await Promise.all(Array.from({ length: pieces }, () => call('work', steps)));
    const endMs = performance.now();
    tookUs[i] = (endMs - startMs) * 1000;
    nextMs += periodMs;
    while (nextMs < endMs) nextMs += periodMs;
  }
  return { missed: tookUs.filter((us) => us > deadlineMs * 1000).length, count, ...percentiles(tookUs) };
}

/** Heap allocated by the host and time in its and the worker's collections, 64 jobs in flight. */
async function garbage(call, ms) {
  await call('collectionsStart', 0);
  const meter = startGarbageMeter();
  const jobs = await inFrames(call, performance.now() + ms);
  const host = meter.stop();
  const workerMs = await call('collectionsStop', 0);
  return { jobs, bytesPerJob: host.bytes / jobs, collectionsMs: host.ms + workerMs };
}

/** Counts what this thread allocates: the growth of its heap, and what each collection took away in between. */
export function startGarbageMeter() {
  const profiler = new GCProfiler();
  profiler.start();
  const before = getHeapStatistics().used_heap_size;
  return {
    stop() {
      const after = getHeapStatistics().used_heap_size;
      const { statistics } = profiler.stop();
      const used = ({ heapStatistics }) => heapStatistics.usedHeapSize;
      const freed = statistics.reduce((sum, { beforeGC, afterGC }) => sum + used(beforeGC) - used(afterGC), 0);
      return { bytes: after - before + freed, ms: statistics.reduce((sum, { cost }) => sum + cost, 0) / 1000 };
    },
  };
}
