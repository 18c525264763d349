import type { Clock } from '../../src/base/time.js';
import { WORKER_CURRENT_START_US, WORKER_CURRENT_TASK, WORKER_JOB_COUNT } from '../../src/memory/layout.js';
import type { NormalWorker } from '../../src/scheduler/options.js';
import type { Place } from '../../src/scheduler/places.js';
import type { Plan } from '../../src/scheduler/plan.js';
import type { Supervisor } from '../../src/scheduler/supervisor.js';
import type { RoleSpec } from './explore.js';
import { machine, type Role, run, type Stepping } from './machine.js';
import type { Modules } from './modules.js';

/** The supervisor as roles. */
export interface Supervision {
  readonly roles: readonly RoleSpec[];
  readonly buffers: readonly { name: string; buffer: ArrayBufferLike }[];
  /** Whether the column's thread may die now. */
  mayDie(column: number): boolean;
  /** Whether it is right that the thread of that role has left by itself. */
  mayLeave(name: string): boolean;
  /** Whether the role, which is blocked, has nothing to do. */
  isIdle(role: Role): boolean;
  /** Jobs that were found to run too long. */
  told(): number;
}

const roleOf = (name: string): Role => machine.roles.find((role) => role.name === name)!;
const hasEnded = ({ state }: Role): boolean => state === 'dead' || state === 'finished';

/** One worker may die at any step; what it left is settled, and nobody takes its place. */
export function superviseDeaths(
  modules: Modules,
  plan: Plan,
  workers: readonly NormalWorker[],
  clock: Clock,
  mortalWorker: number,
): Supervision {
  const { service } = servicesOf(modules, plan, workers, clock);
  const mortal = workers[mortalWorker]!.name;
  const main = function* (): Stepping {
    yield* run(service.leave(mortalWorker));
    return undefined;
  };
  return {
    roles: [{ name: 'supervisor', main, when: () => roleOf(mortal).state === 'dead' }],
    buffers: [],
    mayDie: (column) => column === mortalWorker,
    mayLeave: () => false,
    told: () => 0,
    isIdle: ({ name, state }) => name === 'supervisor' && state === 'blocked' && roleOf(mortal).state !== 'dead',
  };
}

const TOLD = 0;
const PENDING = 1;

/**
 * The real supervisor, without the spawning of threads: a job is found to run too long, so often; the thread
 * is then ended, and dies at any step after that or leaves by itself; one worker may die besides. Warm spares take over.
 */
export function superviseTakeovers(
  modules: Modules,
  plan: Plan,
  workers: readonly NormalWorker[],
  clock: Clock,
  hangs: number,
  mortalWorker: number,
): Supervision {
  const { memory, undertaker, service, names } = servicesOf(modules, plan, workers, clock);
  const { Supervisor } = modules.load<typeof import('../../src/scheduler/supervisor.js')>('scheduler/supervisor.js');
  const { HungWorkers } =
    modules.load<typeof import('../../src/scheduler/hung-workers.js')>('scheduler/hung-workers.js');
  const { Quarantine } = modules.load<typeof import('../../src/scheduler/quarantine.js')>('scheduler/quarantine.js');
  const threads = names.map((name) => new FakeThread(name));
  const spares = threads.slice(workers.length).map((thread, index) => ({
    thread,
    spec: null,
    column: workers.length + index,
    attached: { thread: null, probes: null },
  }));
  const places = workers.map((_, column) => ({
    column,
    spec: null,
    thread: threads[column]!,
    state: 'serving',
    deaths: 0,
    lastDeath: null,
    hung: null,
    life: 0,
    spare: null,
    writtenOff: 0,
    quarantined: [],
  })) as unknown as Place[];
  const supervisor = new Supervisor(
    null as never,
    () => clock,
    () => 0,
    null as never,
  );
  const quarantine = new Quarantine(memory, () => 0);
  Object.assign(supervisor, {
    places,
    memory,
    undertaker,
    service,
    quarantine,
    setup: { workers: workers.map(() => ({ thread: { priority: 'normal' }, tasks: [] })) },
    hung: new HungWorkers(supervisor, memory, service, undertaker, quarantine),
    spares: {
      take: (place: Place) => (place === places[0] ? (spares.shift() ?? null) : null),
      forget: () => false,
      freeColumn() {},
      willCome: () => false,
      encourage() {},
    },
    // a new thread would be spawned: the other workers go on without
    restart() {},
  });
  const stepped = supervisor as unknown as Pick<Supervisor, 'hung'> & {
    onEnded(thread: unknown, end: { exitCode: number; error: null }): Promise<void>;
  };
  // what the watch has told, and what the supervisor has not yet heard
  const watch = new Int32Array(new SharedArrayBuffer(8));
  const seen = { column: 0, jobs: 0, startUs: 0, isAgain: false };
  const firstEnded = (): FakeThread | undefined =>
    threads.find((thread) => !thread.isHandled && hasEnded(roleOf(thread.name)));

  function* watching(): Stepping {
    const { control, layout } = memory;
    const word = (column: number, offset: number): number => control[layout.worker(column) + offset]!;
    const busy = (): Place | undefined =>
      places.find(({ column, state }) => state === 'serving' && word(column, WORKER_CURRENT_TASK) !== 0);
    for (let n = 0; n < hangs; n++) {
      yield* machine.until(() => watch[PENDING] === 0 && busy() !== undefined);
      seen.column = busy()!.column;
      seen.jobs = word(seen.column, WORKER_JOB_COUNT);
      seen.startUs = word(seen.column, WORKER_CURRENT_START_US);
      machine.observe(seen.column);
      machine.observe(seen.jobs);
      machine.observe(seen.startUs);
      machine.store(watch, TOLD, n + 1);
      machine.store(watch, PENDING, 1);
    }
    return undefined;
  }
  function* supervising(): Stepping {
    for (;;) {
      yield* machine.until(() => watch[PENDING] === 1 || firstEnded() !== undefined);
      if (watch[PENDING] === 1) {
        machine.store(watch, PENDING, 0);
        yield* run(stepped.hung!.onHung(seen.column, 1000, seen));
        continue;
      }
      const thread = firstEnded()!;
      thread.isHandled = true;
      machine.observe(threads.indexOf(thread));
      yield* run(stepped.onEnded(thread, { exitCode: 1, error: null }));
    }
  }
  const state = { seen, threads, spares, supervisor };
  return {
    roles: [
      { name: 'watch', main: watching },
      { name: 'supervisor', main: supervising },
    ],
    buffers: [{ name: 'watch', buffer: watch.buffer }],
    mayDie: (column) => threads[column]!.isTerminated || column === mortalWorker,
    mayLeave: (name) => threads.find((thread) => thread.name === name)!.isHandled,
    isIdle: ({ name, state: roleState }) => {
      if (name === 'watch') return true;
      return name === 'supervisor' && roleState === 'blocked' && firstEnded() === undefined;
    },
    told: () => watch[TOLD]!,
    ...{ state },
  };
}

/** A thread as the supervisor holds it; the role of that name is what it runs. */
class FakeThread {
  readonly name: string;
  isTerminated: boolean;
  /** The supervisor has been told of its end. */
  isHandled: boolean;
  constructor(name: string) {
    this.name = name;
    this.isTerminated = false;
    this.isHandled = false;
  }
  terminate(): void {
    this.isTerminated = true;
    machine.observe(1);
  }
}

function servicesOf(modules: Modules, plan: Plan, workers: readonly NormalWorker[], clock: Clock) {
  const { AttachedMemory } =
    modules.load<typeof import('../../src/worker/attached-memory.js')>('worker/attached-memory.js');
  const { Undertaker } = modules.load<typeof import('../../src/scheduler/dead-worker.js')>('scheduler/dead-worker.js');
  const { LaneService } =
    modules.load<typeof import('../../src/scheduler/lane-service.js')>('scheduler/lane-service.js');
  const memory = new AttachedMemory(plan.memory);
  const undertaker = new Undertaker(memory, plan.lanes, plan.tasks, clock);
  const spares = plan.memory.workerCount - workers.length;
  const lanes = workers.map((worker) => worker.lanes);
  for (let spare = 0; spare < spares; spare++) lanes.push(workers[0]!.lanes);
  const names = workers.map(({ name }) => name);
  for (let spare = 0; spare < spares; spare++) names.push(`spare${spare}`);
  const service = new LaneService(memory, undertaker, lanes, workers.length);
  return { memory, undertaker, service, names };
}
