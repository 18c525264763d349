// Runs steps on threads of a process of its own and prints, for each, what the addon reported and what /proc shows.
// Arguments: path of the addon, steps as JSON.
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const addonPath = isMainThread ? process.argv[2] : workerData;
const addon = createRequire(import.meta.url)(addonPath);

export const DEFAULTS = {
  name: 'probe',
  priority: 0,
  cpus: null,
  periodUs: 0,
  budgetUs: 0,
  realtimePriority: 10,
  timerSlackNs: 0,
  brokered: false,
};

const threadId = () => Number(readlinkSync('/proc/thread-self').split('/').at(-1));

/** What the kernel shows of a thread of this process. */
function seen(thread = threadId()) {
  const text = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1');
  // from field 3 on: the name may hold spaces
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/self/task/${thread}/status`, 'latin1');
  const limit = /^Max realtime timeout\s+(\S+)\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
  return {
    threadId: thread,
    name: /^Name:\s*(.*)$/m.exec(status)[1],
    niceness: Number(fields[16]),
    realtimePriority: Number(fields[37]),
    policy: Number(fields[38]),
    cpus: /^Cpus_allowed_list:\s*(\S+)/m.exec(status)[1],
    softUs: limit[1],
    hardUs: limit[2],
    lockedKiB: Number(/^VmLck:\s*(\d+)/m.exec(status)?.[1] ?? 0),
  };
}

function usage() {
  const target = new Float64Array(7);
  addon.usage(target);
  return Array.from(target);
}

function burn(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const workers = new Map();
const kept = [];

const operations = {
  apply: (request) => ({ report: addon.apply({ ...DEFAULTS, ...request }), seen: seen() }),
  seen: () => ({ seen: seen() }),
  burn(ms) {
    burn(ms);
    return { seen: seen(), pulls: usage()[6] };
  },
  usage(ms) {
    const before = usage();
    burn(ms);
    return { before, after: usage() };
  },
  read: (thread) => addon.read(thread),
  lock(bytes) {
    kept.push(new Uint8Array(new SharedArrayBuffer(bytes)));
    return { answer: addon.lockMemory(kept.at(-1)), seen: seen() };
  },
  /** Uses the pool of libuv, and shows the CPUs of every thread of the process but this one. */
  async pool() {
    await Promise.all(Array.from({ length: 8 }, () => stat('.')));
    const own = threadId();
    return readdirSync('/proc/self/task')
      .filter((thread) => Number(thread) !== own)
      .map((thread) => seen(Number(thread)).cpus);
  },
  /** Runs steps on the worker of that name, which is made on first use. */
  async worker({ name, steps }) {
    if (!workers.has(name)) workers.set(name, new Worker(new URL(import.meta.url), { workerData: addonPath }));
    const worker = workers.get(name);
    worker.postMessage(steps);
    return (await once(worker, 'message'))[0];
  },
  async terminate(name) {
    await workers.get(name).terminate();
    workers.delete(name);
    return null;
  },
};

async function run(steps) {
  const results = [];
  for (const [operation, argument] of steps) results.push(await operations[operation](argument));
  return results;
}

if (isMainThread) {
  const results = await run(JSON.parse(process.argv[3]));
  console.log(JSON.stringify(results));
  process.exit(0);
} else {
  parentPort.on('message', async (steps) => parentPort.postMessage(await run(steps)));
}
