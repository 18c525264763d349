import { Worker } from 'node:worker_threads';
import { clockSince, newEpochUs } from '../../dist/host/node/clock.js';
import { HostCore } from '../../dist/scheduler/host-core.js';
import { describeTasks } from '../../dist/scheduler/load-tasks.js';
import { normalizeOptions } from '../../dist/scheduler/options.js';
import { makePlan } from '../../dist/scheduler/plan.js';
import { Scheduler } from '../../dist/scheduler/scheduler.js';
import { AttachedMemory } from '../../dist/worker/attached-memory.js';
import * as tasks from '../tasks/echo.tasks.js';

/**
 * The host's side of a real scheduler with one lane, `jobs`, that nobody serves by itself: for benches that do each step
 * of a job's way on its own. `workers`: how many columns there are.
 */
export function bareParts({ workers = 1, capacitySlots = 256 } = {}) {
  const options = {
    ...normalizeOptions(
      { lanes: { jobs: { load: async () => tasks, capacitySlots, deadlineMs: 1000 } }, mode: 'inline' },
      [0, 1],
    ),
    mode: 'threads',
  };
  const placed = Array.from({ length: workers }, (_, i) => ({
    name: `bare${i}`,
    lanes: [0],
    priority: 'normal',
    cpus: null,
    spinUs: 0,
    resourceLimits: null,
  }));
  const epochUs = newEpochUs();
  const clock = clockSince(epochUs);
  const plan = makePlan(options.lanes, placed, [describeTasks(tasks, 'jobs', 'echo.tasks.js')], 0, true, 256, 0);
  const memory = new AttachedMemory(plan.memory);
  const nothing = () => {};
  const backend = {
    clock,
    memory,
    canBlock: false,
    published: nothing,
    hold: nothing,
    drop: nothing,
    waitAsync: () => null,
    timer: () => ({ set: nothing, cancel: nothing }),
  };
  const core = new HostCore(backend, plan);
  const scheduler = new Scheduler({
    options,
    placed,
    derived: false,
    plan,
    backend,
    core,
    states: [],
    allowedCpus: [0, 1],
    environment: { runtime: 'node', platform: process.platform, cpu: null, allowedCpus: [0, 1] },
    memoryLock: null,
    stop: async () => {},
    refreshStates: async () => [],
  });
  // where workers wait for each other
  const meeting = new Int32Array(new SharedArrayBuffer(64));
  return { scheduler, memory, plan, clock, epochUs, meeting, handles: scheduler.lanes.jobs };
}

/** Commands to a thread of `workers/bare-worker.js`, and what it answers: nanoseconds. */
export class BareWorker {
  constructor({ plan, epochUs, meeting }, column) {
    this.words = new Int32Array(new SharedArrayBuffer(64));
    this.ns = new Float64Array(new SharedArrayBuffer(64));
    this.thread = new Worker(new URL('../workers/bare-worker.js', import.meta.url), {
      workerData: { plan, epochUs, meeting, column, words: this.words, ns: this.ns },
    });
  }

  async ready() {
    while (Atomics.load(this.words, 1) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  /** Tells it what to do next; does not wait. */
  begin(command, count) {
    this.words[2] = count;
    Atomics.store(this.words, 0, command);
    Atomics.notify(this.words, 0);
  }

  /** Waits awake until it has done so. */
  finish() {
    while (Atomics.load(this.words, 0) !== 0);
    return this.ns;
  }

  end() {
    return this.thread.terminate();
  }
}
