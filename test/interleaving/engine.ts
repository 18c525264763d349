import type { VirtualClock } from '../../src/base/time.js';
import type { LoopLog } from '../../src/scheduler/frame-log.js';
import type { FramePool } from '../../src/scheduler/frame-pool.js';
import type { HostCore } from '../../src/scheduler/host-core.js';
import type { LaneService } from '../../src/scheduler/lane-service.js';
import type { NormalLane, NormalWorker } from '../../src/scheduler/options.js';
import type { Plan } from '../../src/scheduler/plan.js';
import type { TaskHandle } from '../../src/scheduler/task-handle.js';
import type { AttachedMemory } from '../../src/worker/attached-memory.js';
import type { JobContext, Task } from '../../src/worker/task.js';
import type { RoleSpec, Scenario } from './explore.js';
import { check, machine, run, type Stepping } from './machine.js';
import { Modules, type Patch } from './modules.js';
import { rememberState } from './rewind.js';

/** Lanes by name, one task each: its slots, whether the task may be run again, and its handler, which may wait. */
export interface EngineSpec {
  readonly lanes: Readonly<
    Record<
      string,
      {
        readonly slots: number;
        readonly idempotent?: boolean;
        readonly onFull?: 'refuse' | 'dropOldest';
        readonly handler?: (context: JobContext) => Stepping | undefined;
      }
    >
  >;
  /** By worker: the lanes that it serves. */
  readonly workers: readonly (readonly string[])[];
  /** A worker that may die at any of its accesses; the supervisor then settles what it left. */
  readonly mortalWorker?: number;
  readonly patches?: readonly Patch[];
}

/** What the host role has to do with: the real host side, on the real way of waiting. */
export interface Host {
  readonly core: HostCore;
  readonly memory: AttachedMemory;
  readonly tasks: Readonly<Record<string, TaskHandle>>;
  readonly frames: FramePool;
  readonly clock: VirtualClock;
}

const NOW_US = 1000;
/** No frame misses it: time does not go by. */
export const FRAME_DEADLINE_US = 20_000;

/**
 * A whole scheduler as roles: the host does as `host` says, workers run their idle loop for ever, the supervisor
 * settles a dead worker. When nobody can go on, every job must have ended and been counted once; then `end` looks.
 */
export function engine(
  spec: EngineSpec,
  host: (host: Host) => Stepping,
  end: (host: Host) => void = () => {},
): Scenario {
  const modules = new Modules(spec.patches ?? []);
  const { VirtualClock } = modules.load<typeof import('../../src/base/time.js')>('base/time.js');
  const { AttachedMemory } =
    modules.load<typeof import('../../src/worker/attached-memory.js')>('worker/attached-memory.js');
  const { WorkerCore } = modules.load<typeof import('../../src/worker/worker-core.js')>('worker/worker-core.js');
  const { IdleLoop } = modules.load<typeof import('../../src/worker/idle-loop.js')>('worker/idle-loop.js');
  const { SlotViews } = modules.load<typeof import('../../src/worker/task-runtime.js')>('worker/task-runtime.js');
  const { task } = modules.load<typeof import('../../src/worker/task.js')>('worker/task.js');
  const { layoutSchema } = modules.load<typeof import('../../src/memory/schema-layout.js')>('memory/schema-layout.js');
  const { makePlan } = modules.load<typeof import('../../src/scheduler/plan.js')>('scheduler/plan.js');
  const { describeTasks } = modules.load<typeof import('../../src/scheduler/load-tasks.js')>('scheduler/load-tasks.js');
  const { ThreadsBackend } =
    modules.load<typeof import('../../src/scheduler/threads-backend.js')>('scheduler/threads-backend.js');
  const { HostCore } = modules.load<typeof import('../../src/scheduler/host-core.js')>('scheduler/host-core.js');
  const { TaskHandle } = modules.load<typeof import('../../src/scheduler/task-handle.js')>('scheduler/task-handle.js');
  const { FramePool, FrameSlots } =
    modules.load<typeof import('../../src/scheduler/frame-pool.js')>('scheduler/frame-pool.js');
  const { Undertaker } = modules.load<typeof import('../../src/scheduler/dead-worker.js')>('scheduler/dead-worker.js');
  const { LaneService } =
    modules.load<typeof import('../../src/scheduler/lane-service.js')>('scheduler/lane-service.js');

  const laneNames = Object.keys(spec.lanes);
  const lanes = laneNames.map((name, index) =>
    normalLane(name, index, spec.lanes[name]!.slots, spec.lanes[name]!.onFull),
  );
  const placed = spec.workers.map((served, index) =>
    normalWorker(
      `worker${index}`,
      served.map((name) => laneNames.indexOf(name)),
    ),
  );
  const taskModules = laneNames.map((name) => ({
    work: task({
      input: {},
      idempotent: spec.lanes[name]!.idempotent === true,
      run: handlerOf(spec.lanes[name]!.handler),
    }) as Task,
  }));
  const plan = makePlan(
    lanes,
    placed,
    taskModules.map((module) => describeTasks(module, 'lane', 'the test')),
    0,
    true,
    2,
  );
  const { memory: handle } = plan;
  const buffers = [
    { name: 'control', buffer: handle.control },
    ...handle.rings.map((ring, index) => ({ name: `ring${index}`, buffer: ring.buffer })),
    { name: 'telemetry', buffer: handle.telemetry },
  ];
  const platform = { canBlock: true, timer: () => ({ set() {}, cancel() {} }), hold() {}, drop() {} };
  const clock = new VirtualClock(NOW_US);
  const memory = new AttachedMemory(handle);
  const core = new HostCore(new ThreadsBackend(memory, clock, platform as never), plan);
  const tasks: Record<string, TaskHandle> = {};
  for (const info of plan.tasks) {
    const producer = core.producers[info.lane]!;
    const { input, output } = taskModules[info.lane]!.work;
    const slots = new SlotViews({ input, output }, info.outputOffset, producer.ring, info.name);
    const name = laneNames[info.lane]!;
    const made = new TaskHandle(
      info,
      name,
      info.lane,
      producer,
      slots,
      layoutSchema(input, name),
      output,
      false,
      plan.lanes[info.lane]!.onFull === 'dropOldest',
      core,
    );
    tasks[name] = made as unknown as TaskHandle;
  }
  // what a frame leaves in the telemetry decides nothing here
  const SILENT = { begun() {}, over() {}, unfinished() {} } as unknown as LoopLog;
  const present: Host = { core, memory, tasks, clock, frames: new FramePool(core, new FrameSlots(), 1, SILENT) };
  const roles: RoleSpec[] = [{ name: 'host', main: () => host(present) }];
  const loops: unknown[] = [];
  placed.forEach((worker, index) => {
    const workerCore = new WorkerCore(memory, clock, {
      column: index,
      workerIndex: index,
      lanes: plan.lanes.filter((lane) => worker.lanes.includes(lane.index)),
      tasks: plan.tasks
        .filter((info) => worker.lanes.includes(info.lane))
        .map((info) => ({ info, task: taskModules[info.lane]!.work })),
    });
    const loop = new IdleLoop(workerCore, clock, 0);
    loops.push(loop);
    const main = function* (): Stepping {
      return yield* run(loop.run());
    };
    roles.push({ name: worker.name, main, mortal: spec.mortalWorker === index });
  });
  const { mortalWorker } = spec;
  if (mortalWorker !== undefined) {
    const service: LaneService = new LaneService(
      memory,
      new Undertaker(memory, plan.tasks, clock),
      placed.map((worker) => worker.lanes),
    );
    loops.push(service);
    roles.push({
      name: 'supervisor',
      main: function* (): Stepping {
        yield* run(service.leave(mortalWorker));
        return undefined;
      },
      when: () => machine.roles[1 + mortalWorker]!.state === 'dead',
    });
  }
  const restore = rememberState([present, roles, ...loops]);
  const views = buffers.map(({ buffer }) => new Int32Array(buffer));
  const first = views.map((view) => view.slice());

  return {
    buffers,
    begin(): readonly RoleSpec[] {
      restore();
      views.forEach((view, index) => {
        view.set(first[index]!);
      });
      return roles;
    },
    end(): void {
      checkQuiet(modules, plan);
      end(present);
    },
  };
}

/** A generator, though tasks may have none: the stepped worker core runs it step by step. */
function handlerOf(handler: ((context: JobContext) => Stepping | undefined) | undefined): Task['run'] {
  if (handler === undefined) return () => {};
  return ((_input: unknown, _output: unknown, context: JobContext) => handler(context)) as unknown as Task['run'];
}

/** Nothing is left to do, and contract C1 holds. */
function checkQuiet(modules: Modules, plan: Plan): void {
  const layout = modules.load<typeof import('../../src/memory/layout.js')>('memory/layout.js');
  const outcomes = modules.load<typeof import('../../src/telemetry/outcomes.js')>('telemetry/outcomes.js');
  const { TelemetryLayout } = modules.load<typeof import('../../src/telemetry/recorder.js')>('telemetry/recorder.js');
  for (const role of machine.roles) {
    const isWorker = role.name.startsWith('worker');
    const isIdle =
      role.name === 'supervisor' && role.state === 'blocked' && !machine.roles.some(({ state }) => state === 'dead');
    check(
      isWorker ? role.state !== 'finished' : role.state === 'finished' || isIdle,
      () => `${role.name} is ${role.state} and nobody can go on`,
    );
  }
  plan.memory.rings.forEach((ring, ringIndex) => {
    const i32 = new Int32Array(ring.buffer);
    for (let slot = 0; slot < ring.capacitySlots; slot++) {
      const state = i32[layout.RING_HEADER_WORDS + slot * (ring.strideBytes >>> 2) + layout.SLOT_STATE]!;
      const status = layout.statusOf(state);
      check(
        status === layout.STATUS_FREE || status === layout.STATUS_DONE,
        () => `slot ${slot} of ring ${ringIndex} is left with status ${status}`,
      );
    }
  });
  for (const info of plan.tasks) {
    const counts = countsOf(plan, info.index);
    const ended = counts.outcomes.reduce((sum, n) => sum + n, 0);
    check(counts.submitted === counts.accepted + counts.refused, () => `submitted: ${JSON.stringify(counts)}`);
    check(counts.accepted === ended, () => `accepted jobs are not the ended ones: ${JSON.stringify(counts)}`);
  }

  function countsOf(of: Plan, taskIndex: number): Counts {
    const telemetryLayout = new TelemetryLayout(of.tasks.length, of.memory.workerCount);
    const words = new Int32Array(of.memory.telemetry);
    const total = (counter: number): number => {
      let sum = 0;
      for (let row = 0; row < telemetryLayout.rowCount; row++) {
        sum += words[telemetryLayout.counters(row, taskIndex) + counter * 2]!;
      }
      return sum;
    };
    return {
      submitted: total(outcomes.COUNT_SUBMITTED),
      accepted: total(outcomes.COUNT_ACCEPTED),
      refused: outcomes.REFUSALS.reduce((sum, _reason, index) => sum + total(outcomes.COUNT_REFUSED + index), 0),
      outcomes: outcomes.OUTCOMES.map((_name, index) => {
        let sum = total(outcomes.outcomeCounter(index + 1, -1));
        for (let cause = 0; cause < outcomes.MISS_CAUSES.length; cause++) {
          sum += total(outcomes.outcomeCounter(index + 1, cause));
        }
        return sum;
      }),
    };
  }
}

interface Counts {
  submitted: number;
  accepted: number;
  refused: number;
  /** By outcome, in the order of OUTCOMES. */
  outcomes: number[];
}

function normalLane(
  name: string,
  index: number,
  capacitySlots: number,
  onFull: NormalLane['onFull'] = 'refuse',
): NormalLane {
  return {
    index,
    name,
    tasks: null,
    load: null,
    deadlineMs: null,
    onExpired: 'run',
    onFull,
    admission: 'off',
    importance: 1,
    capacitySlots,
    periodic: null,
    shared: {},
    transfer: null,
    eventLoop: false,
  };
}

function normalWorker(name: string, lanes: readonly number[]): NormalWorker {
  return { name, lanes, priority: 'normal', cpus: null, spinUs: 0, resourceLimits: null };
}
