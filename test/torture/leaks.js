import { closeSync, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
export const collect = /** @type {() => void} */ (runInNewContext('gc'));

/**
 * What a process holds.
 * @typedef {object} Holdings
 * @property {Record<string, number>} threads by name
 * @property {Record<string, number>} descriptors by what they are
 * @property {Record<string, number>} resources of the event loop, by kind
 * @property {Record<string, number>} listeners on the process, by event
 * @property {number} sharedBytes in SharedArrayBuffers that this thread made and still holds
 * @property {number} heapBytes
 */

/** Bytes of the SharedArrayBuffers made after this call that were not collected yet. */
export class SharedMemoryWatch {
  constructor() {
    this.bytes = 0;
    const registry = new FinalizationRegistry((/** @type {number} */ bytes) => {
      this.bytes -= bytes;
    });
    const { SharedArrayBuffer: Native } = globalThis;
    globalThis.SharedArrayBuffer = new Proxy(Native, {
      construct: (target, args, newTarget) => {
        const buffer = Reflect.construct(target, args, newTarget);
        this.bytes += buffer.byteLength;
        registry.register(buffer, buffer.byteLength);
        return buffer;
      },
    });
  }
}

const PROC = existsSync('/proc/self/task');

/** @returns {Holdings} */
export function holdings(/** @type {SharedMemoryWatch} */ shared) {
  return {
    threads: PROC
      ? countBy(readdirSync('/proc/self/task'), (id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim())
      : {},
    descriptors: PROC ? countBy(readdirSync('/proc/self/fd'), (fd) => kindOf(readlinkSync(`/proc/self/fd/${fd}`))) : {},
    resources: countBy(process.getActiveResourcesInfo(), (name) => name),
    listeners: Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)])),
    sharedBytes: shared.bytes,
    heapBytes: process.memoryUsage().heapUsed,
  };
}

/** `socket:[123]` and its like without their numbers. */
const kindOf = (/** @type {string} */ link) => link.replace(/\[\d+\]|\d+/g, '');

function countBy(/** @type {readonly string[]} */ list, /** @type {(of: string) => string} */ name) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const one of list) {
    try {
      const key = name(one);
      counts[key] = (counts[key] ?? 0) + 1;
    } catch {
      // it has ended meanwhile
    }
  }
  return counts;
}

/** Heap that rounds may leave behind: code, and what the engine keeps for itself. */
const HEAP_SLACK_BYTES = 24 * 2 ** 20;

/** What is held now and was not held before. @returns {string[]} faults */
export function leaksSince(/** @type {Holdings} */ before, /** @type {Holdings} */ now) {
  const faults = [
    ...more('threads', total(before.threads), total(now.threads), now.threads),
    ...moreOf('file descriptors', before.descriptors, now.descriptors),
    ...moreOf('resources of the event loop', before.resources, now.resources),
    ...moreOf('listeners on process', before.listeners, now.listeners),
  ];
  if (now.sharedBytes > before.sharedBytes) {
    faults.push(`${now.sharedBytes - before.sharedBytes} bytes of shared memory are left`);
  }
  if (now.heapBytes > before.heapBytes + HEAP_SLACK_BYTES) {
    faults.push(`the heap has grown from ${mib(before.heapBytes)} to ${mib(now.heapBytes)} MiB`);
  }
  return faults;
}

const mib = (/** @type {number} */ bytes) => Math.round(bytes / 2 ** 20);
const total = (/** @type {Record<string, number>} */ counts) => Object.values(counts).reduce((sum, n) => sum + n, 0);

/** Threads change their names: only their number counts. */
function more(
  /** @type {string} */ what,
  /** @type {number} */ before,
  /** @type {number} */ now,
  /** @type {object} */ which,
) {
  return now > before ? [`${now - before} ${what} are left: ${JSON.stringify(which)}`] : [];
}

function moreOf(
  /** @type {string} */ what,
  /** @type {Record<string, number>} */ before,
  /** @type {Record<string, number>} */ now,
) {
  const left = Object.entries(now).filter(([name, count]) => count > (before[name] ?? 0));
  return left.map(([name, count]) => `${count - (before[name] ?? 0)} ${what} are left: ${name}`);
}

/** Waits until nothing is left any more, at most so long. @returns {Promise<string[]>} faults */
export async function leaksAfter(
  /** @type {Holdings} */ before,
  /** @type {SharedMemoryWatch} */ shared,
  patienceMs = 8000,
) {
  const end = performance.now() + patienceMs;
  for (;;) {
    closeSourceFiles();
    collect();
    // finalizers run in turns of their own
    await new Promise((resolve) => setTimeout(resolve, 5));
    const faults = leaksSince(before, holdings(shared));
    if (faults.length === 0 || performance.now() > end) return faults;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Before Node.js 22 a thread that is ended while it imports leaves the files open that it was reading. */
const LEAVES_SOURCE_FILES = Number(process.versions.node.split('.')[0]) < 22;

function closeSourceFiles() {
  if (!PROC || !LEAVES_SOURCE_FILES) return;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (!/\.m?js(on)?$/.test(readlinkSync(`/proc/self/fd/${fd}`))) continue;
      closeSync(Number(fd));
    } catch {
      // closed meanwhile
    }
  }
}
