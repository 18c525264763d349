import { FrameDeadlineError } from '../base/errors.js';
import { VirtualClock } from '../base/time.js';
import { HOST_COLUMN } from '../memory/layout.js';
import { loadModule, workerCoreOf } from '../scheduler/host-handlers.js';
import { describeTasks, initializeLane } from '../scheduler/load-tasks.js';
import { derivePlacement, ringOrder } from '../scheduler/placement.js';
import { makePlan } from '../scheduler/plan.js';
import { lanesWithOwnThings } from '../scheduler/transfer.js';
import { AttachedMemory } from '../worker/attached-memory.js';
import { ExecutionTimes } from './execution-times.js';
import { normalizeTestOptions, type TestSchedulerOptions } from './options.js';
import { RefusingHostCore } from './refusing-host-core.js';
import { TestScheduler } from './test-scheduler.js';
import { timedTasks } from './timed-tasks.js';
import { VirtualBackend } from './virtual-backend.js';
import { VirtualSupervisor } from './virtual-supervisor.js';
import type { VirtualWorker } from './virtual-worker.js';

/**
 * Creates the real scheduler on a virtual machine, for tests that are the same in each run: rings, picking, frames,
 * periods, telemetry and the settling of dead workers are the production code, the clock moves only when told, handlers
 * take the virtual time that `executionUs` says. Starts no thread.
 *
 * @throws FrameDeadlineError as `createScheduler`, and TASK_UNKNOWN for a name in `executionUs` that no task has
 */
export async function createTestScheduler<Lanes extends { [K in keyof Lanes]: unknown }>(
  options: TestSchedulerOptions<Lanes>,
): Promise<TestScheduler<Lanes>> {
  const given = normalizeTestOptions(options as unknown as TestSchedulerOptions<Record<string, unknown>>);
  const { lanes, workers, signal, hostHelps } = given.scheduler;
  if (signal?.aborted === true) {
    throw new FrameDeadlineError('SCHEDULER_CLOSED', 'the signal was aborted before the scheduler was created');
  }
  const modules = await Promise.all(lanes.map(loadModule));
  const descriptions = modules.map((module, lane) => describeTasks(module, lanes[lane]!.name, 'what load() gives'));
  const placed = ringOrder(workers ?? derivePlacement(lanes, given.usableCpus));
  const clock = new VirtualClock(given.startUs);
  const own = await lanesWithOwnThings(lanes);
  const plan = makePlan(own, placed, descriptions, clock.nowPreciseUs(), true, given.scheduler.traceJobs, 0);
  for (const lane of plan.lanes) {
    await initializeLane(modules[lane.index], lane, 0, given.scheduler.readyTimeoutMs);
  }
  const tasks = plan.tasks.map((task) => `${lanes[task.lane]!.name}.${task.name}`);
  const times = new ExecutionTimes(given.executionUs, tasks);
  const backend = new VirtualBackend(new AttachedMemory(plan.memory), clock);
  const modulesWith = (ran: (executionUs: number) => void): readonly unknown[] =>
    modules.map((module, lane) =>
      timedTasks(module, lanes[lane]!.name, times, {
        begins: () => {
          backend.inHandler = true;
        },
        ran: (executionUs) => {
          backend.inHandler = false;
          ran(executionUs);
        },
      }),
    );
  const core = new RefusingHostCore(backend, plan);
  if (hostHelps) {
    const helping = modulesWith((executionUs) => backend.block(executionUs));
    core.helper = workerCoreOf(backend.memory, clock, plan, helping, HOST_COLUMN, -1);
  }
  const modulesOf = (worker: VirtualWorker): readonly unknown[] =>
    modulesWith((executionUs) => {
      worker.executionUs = executionUs;
    });
  const supervisor = new VirtualSupervisor(backend, plan, placed, modulesOf, given.wakeupUs, given.restartUs);
  backend.supervisor = supervisor;
  return new TestScheduler({
    backend,
    core,
    supervisor,
    times,
    plan,
    scheduler: {
      options: given.scheduler,
      placed,
      derived: workers === null,
      plan,
      backend,
      core,
      states: supervisor.workers(),
      allowedCpus: Array.from({ length: given.usableCpus }, (_, cpu) => cpu),
      stop: (graceMs) => supervisor.stop(graceMs),
      environment: {
        runtime: 'virtual',
        platform: 'virtual',
        cpu: null,
        allowedCpus: Array.from({ length: given.usableCpus }, (_, cpu) => cpu),
      },
      memoryLock: null,
      refreshStates: async () => supervisor.workers(),
    },
  }) as unknown as TestScheduler<Lanes>;
}
