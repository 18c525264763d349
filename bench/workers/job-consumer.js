import { workerData } from 'node:worker_threads';
import { SLOT_STATE, STATUS_DONE, withStatus } from '../../dist/memory/layout.js';
import { JobRing } from '../../dist/ring/job-ring.js';
import { JobScanner } from '../../dist/ring/job-scanner.js';

// Claims and ends every job of a ring at once, spinning, until told to stop.
const { handle, flags } = workerData;
const scanner = new JobScanner(new JobRing(handle));
const { i32 } = scanner.ring;
Atomics.store(flags, 0, 1);
while (Atomics.load(flags, 1) === 0) {
  if (!scanner.look()) continue;
  const running = scanner.claim(0);
  if (running === 0) continue;
  Atomics.store(i32, scanner.ring.slotBase(scanner.slot) + SLOT_STATE, withStatus(running, STATUS_DONE, 1, 0));
}
