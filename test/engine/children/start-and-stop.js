// Starts and stops schedulers, and prints after each step what the process holds: `node --expose-gc ... CYCLES`.
import { readdirSync, readFileSync } from 'node:fs';
import { createScheduler } from 'frame-deadline';

const WARM_UP_CYCLES = 20;
const STEPS = 4;
const EVENTS = ['SIGINT', 'SIGTERM', 'exit', 'beforeExit', 'uncaughtException', 'unhandledRejection', 'warning'];
const isLinux = process.platform === 'linux';

async function cycles(count) {
  for (let cycle = 0; cycle < count; cycle++) {
    const scheduler = await createScheduler({
      lanes: { work: { tasks: new URL('../tasks/work.tasks.js', import.meta.url) } },
      workers: [{ lanes: ['work'] }],
    });
    const { nothing } = scheduler.lanes.work;
    const stop = scheduler.onMiss(() => {});
    const job = scheduler.submit(nothing, {}, { deadlineMs: 60_000 });
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    frame.submit(nothing, {});
    await frame.join();
    await job.done;
    if (job.outcome !== 'onTime') throw new Error(`a job ended ${job.outcome}`);
    scheduler.telemetry();
    // an app may forget both
    if (cycle % 2 === 0) {
      stop();
      job.release();
    }
    await scheduler.close();
  }
}

function held() {
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const threads = isLinux ? Number(/^Threads:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))[1]) : 0;
  return {
    heapKb: heapUsed / 1024,
    residentKb: rss / 1024,
    externalKb: (external + arrayBuffers) / 1024,
    threads,
    descriptors: isLinux ? readdirSync('/proc/self/fd').length : 0,
    resources: process.getActiveResourcesInfo().length,
    listeners: EVENTS.reduce((sum, name) => sum + process.listenerCount(name), 0),
  };
}

const perStep = Math.ceil(Number(process.argv[2]) / STEPS);
await cycles(WARM_UP_CYCLES);
const steps = [held()];
for (let step = 0; step < STEPS; step++) {
  await cycles(perStep);
  await new Promise((resolve) => setTimeout(resolve, 50));
  steps.push(held());
}
console.log(JSON.stringify({ cycles: perStep * STEPS, steps }));
