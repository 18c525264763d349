// A thread beside the main one: when that does nothing for long, it tells what the scheduler's memory looks like and ends
// the process. A main thread that is blocked cannot tell.
import { writeSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { AttachedMemory } from '../../dist/worker/attached-memory.js';
import { memoryDump } from './memory-dump.js';

/** @type {{ beats: Int32Array, patienceMs: number }} */
const { beats, patienceMs } = workerData;
/** @type {{ name: string, memory: any, tasks: string[] } | null} */
let present = null;
let seen = -1;
let sinceMs = performance.now();

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

parentPort?.on('message', (message) => {
  present = message;
  // it would keep the memory of rounds that are over, for this thread has no reason to collect
  collect();
});
setInterval(() => {
  const beat = Atomics.load(beats, 0);
  if (beat !== seen) {
    seen = beat;
    sinceMs = performance.now();
    return;
  }
  if (performance.now() - sinceMs < patienceMs) return;
  const dump = present === null ? '' : memoryDump(new AttachedMemory(present.memory), present.tasks);
  writeSync(2, `the main thread has done nothing for ${patienceMs} ms in ${present?.name}\n${dump}\n`);
  process.kill(process.pid, 'SIGKILL');
}, 1000);
