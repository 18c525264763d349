import type { Clock } from '../../src/base/time.js';
import type { LoopLog } from '../../src/scheduler/frame-log.js';
import type { FramePool } from '../../src/scheduler/frame-pool.js';
import type { HostCore } from '../../src/scheduler/host-core.js';
import type { NormalLane, NormalWorker } from '../../src/scheduler/options.js';
import type { Plan } from '../../src/scheduler/plan.js';
import type { TaskHandle } from '../../src/scheduler/task-handle.js';
import type { AttachedMemory } from '../../src/worker/attached-memory.js';
import type { JobContext, Task } from '../../src/worker/task.js';
import type { WorkerCore } from '../../src/worker/worker-core.js';
import type { RoleSpec, Scenario } from './explore.js';
import { check, machine, run, SharedClock, type Stepping } from './machine.js';
import { Modules, type Patch } from './modules.js';
import { rememberState } from './rewind.js';
import { type Supervision, superviseDeaths, superviseTakeovers } from './supervision.js';

/** Lanes by name, one task each: its slots, whether the task may be run again, and its handler, which may wait. */
export interface EngineSpec {
  readonly lanes: Readonly<
    Record<
      string,
      {
        readonly slots: number;
        readonly idempotent?: boolean;
        readonly onFull?: 'refuse' | 'dropOldest';
        readonly onExpired?: 'run' | 'drop';
        /** Its task is released so often. */
        readonly everyUs?: number;
        readonly handler?: (context: JobContext) => Stepping | undefined;
      }
    >
  >;
  /** By worker: the lanes that it serves. */
  readonly workers: readonly (readonly string[])[];
  /** A worker that may die at any of its accesses; the supervisor then settles what it left. */
  readonly mortalWorker?: number;
  /** Warm spares for the place of worker 0. */
  readonly spares?: number;
  /** So often a job is found to run too long. Its thread then ends at any step, or by itself. */
  readonly hangs?: number;
  /** Times that the clock goes on to, at any step. It begins at NOW_US. */
  readonly timesUs?: readonly number[];
  readonly patches?: readonly Patch[];
}

/** What the host role has to do with: the real host side, on the real way of waiting. */
export interface Host {
  /** Jobs that the watch has told of. */
  told(): number;
  readonly core: HostCore;
  readonly memory: AttachedMemory;
  readonly tasks: Readonly<Record<string, TaskHandle>>;
  readonly frames: FramePool;
  readonly clock: Clock;
}

export const NOW_US = 1000;
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
  const { awaitTurn, endLife } = modules.load<typeof import('../../src/worker/turn.js')>('worker/turn.js');
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

  const laneNames = Object.keys(spec.lanes);
  const lanes = laneNames.map((name, index) => normalLane(name, index, spec.lanes[name]!));
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
  const spareColumns = Array.from({ length: spec.spares ?? 0 }, () => 0);
  const plan = makePlan(
    lanes,
    placed,
    taskModules.map((module) => describeTasks(module, 'lane', 'the test')),
    NOW_US,
    true,
    2,
    0,
    spareColumns,
  );
  const { memory: handle } = plan;
  const buffers: { name: string; buffer: ArrayBufferLike }[] = [
    { name: 'control', buffer: handle.control },
    ...handle.rings.map((ring, index) => ({ name: `ring${index}`, buffer: ring.buffer })),
    { name: 'telemetry', buffer: handle.telemetry },
  ];
  const platform = { canBlock: true, timer: () => ({ set() {}, cancel() {} }), hold() {}, drop() {} };
  const goesOn = spec.timesUs !== undefined;
  const clock = goesOn ? new SharedClock() : new VirtualClock(NOW_US);
  if (clock instanceof SharedClock) buffers.push({ name: 'clock', buffer: clock.words.buffer });
  const memory = new AttachedMemory(handle);
  const core = new HostCore(new ThreadsBackend(memory, clock, platform as never), plan);
  const tasks: Record<string, TaskHandle> = {};
  for (const info of plan.tasks) {
    const ring = handle.rings.findIndex(({ lane, periodic }) => lane === info.lane && !periodic);
    const producer = core.producers[ring]!;
    const { input, output } = taskModules[info.lane]!.work;
    const slots = new SlotViews({ input, output }, info.outputOffset, producer.ring, info.name);
    const name = laneNames[info.lane]!;
    const made = new TaskHandle(
      info,
      name,
      ring,
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
  let supervision: Supervision | null = null;
  const told = (): number => supervision?.told() ?? 0;
  const present: Host = { core, memory, tasks, clock, frames: new FramePool(core, new FrameSlots(), 1, SILENT), told };
  const roles: RoleSpec[] = [{ name: 'host', main: () => host(present) }];
  const loops: unknown[] = [];
  const coreIn = (column: number, place: number, of: AttachedMemory): WorkerCore => {
    const served = placed[place]!.lanes;
    return new WorkerCore(of, clock, {
      column,
      workerIndex: place,
      lanes: plan.lanes.filter((lane) => served.includes(lane.index)),
      tasks: plan.tasks
        .filter((info) => served.includes(info.lane))
        .map((info) => ({ info, task: taskModules[info.lane]!.work })),
    });
  };
  const isTakeover = spec.hangs !== undefined || spareColumns.length > 0;
  const { mortalWorker } = spec;
  if (isTakeover) supervision = superviseTakeovers(modules, plan, placed, clock, spec.hangs ?? 0, mortalWorker ?? -1);
  else if (mortalWorker !== undefined) supervision = superviseDeaths(modules, plan, placed, clock, mortalWorker);
  if (supervision !== null) buffers.push(...supervision.buffers);
  placed.forEach((worker, index) => {
    const loop = new IdleLoop(coreIn(index, index, memory), clock, 0);
    loops.push(loop);
    const main = function* (): Stepping {
      yield* run(loop.run());
      // asked to stop
      yield* run(endLife(memory, index));
      return undefined;
    };
    roles.push({ name: worker.name, main, mortal: () => supervision?.mayDie(index) === true });
  });
  spareColumns.forEach((place, index) => {
    const column = placed.length + index;
    const own = new AttachedMemory(handle);
    const main = function* (): Stepping {
      yield* run(awaitTurn(own, column, 1));
      const loop = new IdleLoop(coreIn(column, place, own), clock, 0);
      yield* run(loop.run());
      yield* run(endLife(own, column));
      return undefined;
    };
    roles.push({ name: `spare${index}`, main, mortal: () => supervision?.mayDie(column) === true });
  });
  if (supervision !== null) {
    loops.push(supervision);
    roles.push(...supervision.roles);
  }
  if (clock instanceof SharedClock) {
    const { timesUs = [] } = spec;
    roles.push({ name: 'time', main: () => clock.goOn(timesUs) });
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
      if (clock instanceof SharedClock) {
        clock.words[0] = NOW_US;
        machine.clock = clock;
      }
      return roles;
    },
    end(): void {
      checkQuiet(modules, plan, supervision);
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
function checkQuiet(modules: Modules, plan: Plan, supervision: Supervision | null): void {
  const layout = modules.load<typeof import('../../src/memory/layout.js')>('memory/layout.js');
  const outcomes = modules.load<typeof import('../../src/telemetry/outcomes.js')>('telemetry/outcomes.js');
  const { TelemetryLayout } = modules.load<typeof import('../../src/telemetry/recorder.js')>('telemetry/recorder.js');
  for (const role of machine.roles) {
    const isThread = role.name.startsWith('worker') || role.name.startsWith('spare');
    const isRight = isThread
      ? role.state !== 'finished' || supervision?.mayLeave(role.name) === true
      : role.state === 'finished' || supervision?.isIdle(role) === true;
    check(isRight, () => `${role.name} is ${role.state} and nobody can go on`);
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
      const flags = i32[layout.RING_HEADER_WORDS + slot * (ring.strideBytes >>> 2) + layout.SLOT_FLAGS]!;
      check((flags & layout.SLOT_FLAG_RETIRED) === 0, () => `slot ${slot} of ring ${ringIndex} is left retired`);
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

function normalLane(name: string, index: number, given: EngineSpec['lanes'][string]): NormalLane {
  return {
    index,
    name,
    tasks: null,
    load: null,
    deadlineMs: null,
    onExpired: given.onExpired ?? 'run',
    onFull: given.onFull ?? 'refuse',
    admission: 'off',
    importance: 1,
    capacitySlots: given.slots,
    periodic: given.everyUs === undefined ? null : { task: 'work', everyMs: given.everyUs / 1000 },
    shared: {},
    transfer: null,
    eventLoop: false,
  };
}

function normalWorker(name: string, lanes: readonly number[]): NormalWorker {
  return { name, lanes, priority: 'normal', cpus: null, spinUs: 0, resourceLimits: null };
}
