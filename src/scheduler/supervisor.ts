import type { Clock } from '../base/time.js';
import type { ServeTelemetry } from '../host/telemetry-socket.js';
import { OUTCOME_CANCELLED } from '../memory/layout.js';
import { CAUSE_CRASHED, CAUSE_HUNG } from '../telemetry/outcomes.js';
import { AttachedMemory } from '../worker/attached-memory.js';
import { endedLives, endLife } from '../worker/turn.js';
import { Undertaker } from './dead-worker.js';
import { Handovers } from './handovers.js';
import { HangWatch } from './hang-watch.js';
import { LaneService } from './lane-service.js';
import type {
  AttachResult,
  LoadResult,
  ReloadAnswer,
  ReloadRequest,
  ServeRequest,
  ServeResult,
  SupervisorApi,
  SupervisorSetup,
  WorkerApi,
  WorkerSpec,
  WorkerState,
} from './protocol.js';
import { Reloading } from './reload.js';
import { changeOf } from './task-change.js';
import { TelemetryServing } from './telemetry-serving.js';
import type { GivenAgain } from './transfer.js';

/** A worker thread as the supervisor holds it: what a platform's spawn gives. */
export interface WorkerThread {
  readonly api: {
    [K in keyof WorkerApi]: (...args: Parameters<WorkerApi[K]>) => Promise<Awaited<ReturnType<WorkerApi[K]>>>;
  };
  readonly ended: Promise<{ exitCode: number; error: Error | null }>;
  terminate(): Promise<void>;
}

/** Starts a worker thread; rejects when it does not come up within the time. */
export type SpawnWorker = (spec: WorkerSpec, timeoutMs: number) => Promise<WorkerThread>;

/** A thread that waits for its turn to serve as a worker. */
export interface Spare {
  readonly thread: WorkerThread;
  readonly spec: WorkerSpec;
  /** How many threads have ended their service here when its turn comes. */
  readonly life: number;
  /** What its attaching gives; null: it is to attach once the old thread is gone. */
  attached: Promise<AttachResult> | null;
}

/** A worker: one thread serves as it at a time. */
export interface Place {
  spec: WorkerSpec;
  /** The tasks of its modules as they were first described; empty before. */
  tasks: LoadedLanes;
  thread: WorkerThread | null;
  state: WorkerState['state'];
  report: WorkerState['report'];
  probes: WorkerState['probes'];
  deaths: number;
  lastDeath: string | null;
  /** Why it is being ended, in words; null if it is not. */
  hung: string | null;
  /** How many threads had ended their service here when `thread` began its own. */
  life: number;
  spare: Spare | null;
}

export type LoadedLanes = Extract<LoadResult, { ok: true }>['lanes'];

/**
 * Owns the workers: spawns them, notices their end, settles what they left, starts them again. Lives in a thread of its
 * own, because only the thread that spawned a worker hears of its end or can end it, and the main thread may be blocked.
 * Between events it does nothing: no timer, no CPU.
 */
export class Supervisor implements SupervisorApi {
  private readonly spawn: SpawnWorker;
  private readonly clockSince: (epochUs: number) => Clock;
  private readonly nowMs: () => number;
  places: Place[];
  private readyTimeoutMs: number;
  private epochUs: number;
  setup: SupervisorSetup | null;
  private memory: AttachedMemory | null;
  private undertaker: Undertaker | null;
  private service: LaneService | null;
  handovers: Handovers | null;
  private readonly serving: TelemetryServing;
  private reloading: Reloading | null;
  private watch: HangWatch | null;
  closing: boolean;

  constructor(
    spawn: SpawnWorker,
    clockSince: (epochUs: number) => Clock,
    nowMs: () => number,
    serveSocket: ServeTelemetry,
  ) {
    this.spawn = spawn;
    this.clockSince = clockSince;
    this.nowMs = nowMs;
    this.places = [];
    this.readyTimeoutMs = 0;
    this.epochUs = 0;
    this.setup = null;
    this.memory = null;
    this.undertaker = null;
    this.service = null;
    this.handovers = null;
    this.serving = new TelemetryServing(serveSocket);
    this.reloading = null;
    this.watch = null;
    this.closing = false;
  }

  async start(workers: readonly WorkerSpec[], readyTimeoutMs: number, epochUs: number): Promise<readonly LoadResult[]> {
    this.readyTimeoutMs = readyTimeoutMs;
    this.epochUs = epochUs;
    this.places = workers.map((spec) => ({
      spec,
      thread: null,
      state: 'restarting',
      report: null,
      probes: null,
      deaths: 0,
      lastDeath: null,
      hung: null,
      tasks: [],
      life: 0,
      spare: null,
    }));
    return Promise.all(
      this.places.map(async (place) => {
        const result = await this.bringUp(place);
        if (result.ok) place.tasks = result.lanes;
        return result;
      }),
    );
  }

  async attach(setup: SupervisorSetup): Promise<readonly WorkerState[]> {
    this.setup = setup;
    this.handovers = new Handovers(setup.workers);
    this.memory = new AttachedMemory(setup.memory);
    this.undertaker = new Undertaker(this.memory, setup.tasks, this.clockSince(this.epochUs));
    this.service = new LaneService(
      this.memory,
      this.undertaker,
      setup.workers.map((worker) => worker.lanes.map((lane) => lane.index)),
    );
    await Promise.all(this.places.map((place, index) => this.enterService(place, index)));
    if (setup.hangMs !== null) {
      const clock = this.clockSince(this.epochUs);
      this.watch = new HangWatch(this.memory, clock, setup.hangMs, (worker, forMs) => this.endHung(worker, forMs));
      this.watch.start();
    }
    return this.workers();
  }

  workers(): readonly WorkerState[] {
    return this.places.map(({ report, probes, state, deaths, lastDeath }) => ({
      report,
      probes,
      state,
      deaths,
      lastDeath,
    }));
  }

  /** `attach` has been called. */
  nextHandover(): Promise<number | null> {
    return this.handovers!.next();
  }

  handOver(worker: number, given: GivenAgain): void {
    this.handovers!.give(worker, given);
  }

  /** `attach` has been called. */
  serveTelemetry(request: ServeRequest): Promise<ServeResult> {
    const { lanes, tasks } = this.setup!;
    const clock = this.clockSince(this.epochUs);
    const states = (): readonly WorkerState[] => this.workers();
    return this.serving.serve(request, { memory: this.memory!, clock, lanes, tasks, states });
  }

  /** See `SupervisorApi`. `attach` has been called. */
  async reload(request: ReloadRequest): Promise<ReloadAnswer> {
    const reloading = new Reloading(this, this.memory!, this.service!, this.clockSince(this.epochUs), request);
    this.reloading = reloading;
    return reloading.run();
  }

  stopServing(id: number): Promise<void> {
    return this.serving.stop(id);
  }

  async close(graceMs: number): Promise<void> {
    this.closing = true;
    this.watch?.stop();
    this.handovers?.close();
    void this.serving.stopAll();
    await this.reloading?.close();
    for (let index = 0; index < this.places.length; index++) this.service?.stop(index);
    await Promise.all(
      this.places.map(async (place) => {
        const { thread } = place;
        if (thread === null) return;
        const timer = setTimeout(() => void thread.terminate(), this.memory === null ? 0 : graceMs);
        await thread.ended;
        clearTimeout(timer);
      }),
    );
    if (this.memory !== null) this.undertaker!.settleAll(OUTCOME_CANCELLED);
  }

  /** Spawns a worker and lets it import its task modules. */
  private bringUp(place: Place): Promise<LoadResult> {
    return this.load(place, place.spec, (thread) => {
      place.thread = thread;
    });
  }

  /** Spawns a thread for a worker and lets it import the modules of `spec`. `onSpawned`: before it does. Never rejects. */
  async load(place: Place, spec: WorkerSpec, onSpawned: (thread: WorkerThread) => void): Promise<LoadResult> {
    const failed = (code: string, message: string): LoadResult => ({
      ok: false,
      error: { code, message, stack: null },
    });
    try {
      const thread = await this.spawn(spec, this.readyTimeoutMs);
      if (this.closing) {
        await thread.terminate();
        return failed('SCHEDULER_CLOSED', 'the scheduler was closed meanwhile');
      }
      onSpawned(thread);
      void thread.ended.then((end) => this.onEnded(place, thread, end));
      let timer: ReturnType<typeof setTimeout> | undefined;
      const modules = spec.modules.map((module) => module.url).join(', ');
      const late = new Promise<LoadResult>((resolve) => {
        const message = `worker ${spec.name} had not imported its task modules after ${this.readyTimeoutMs} ms (${modules}); look for a top-level await that never ends, or raise readyTimeoutMs`;
        timer = setTimeout(() => resolve(failed('READY_TIMEOUT', message)), this.readyTimeoutMs);
      });
      const result = await Promise.race([thread.api.load(spec.modules), late]);
      clearTimeout(timer);
      return result;
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return failed(code ?? 'WORKER_DIED', message.replace(/ \[[A-Z_]+\]$/, ''));
    }
  }

  private async enterService(place: Place, index: number): Promise<void> {
    const request = await this.handovers!.requestFor(index);
    this.service!.prepare(index);
    place.life = endedLives(this.memory!, index);
    const { thread } = place;
    if (thread === null) throw new Error(`${place.spec.name} ended before it served`);
    const attached = await thread.api.attach({ ...request, replaces: place.deaths > 0 });
    // its answer and its end may come together: then nobody else takes the end for that of a serving worker
    if (place.thread !== thread) throw new Error(`${place.spec.name} ended when it began to serve`);
    place.report = attached.thread;
    place.probes = attached.probes;
    place.state = 'serving';
    this.service!.enter(index);
  }

  /** A thread to serve as the worker when the present one has ended its service attaches. */
  async attachSpare(place: Place, spare: Spare): Promise<AttachResult> {
    const request = await this.handovers!.requestFor(this.places.indexOf(place));
    return spare.thread.api.attach({ ...request, life: spare.life });
  }

  /** The old thread has ended its service, and the spare's turn has come. */
  takeOver(place: Place, spare: Spare): void {
    place.spare = null;
    place.thread = spare.thread;
    place.spec = spare.spec;
    place.life = spare.life;
    place.hung = null;
    place.state = 'serving';
    spare.attached ??= this.attachSpare(place, spare);
    spare.attached.then(
      ({ thread, probes }) => {
        if (place.thread !== spare.thread) return;
        place.report = thread;
        place.probes = probes;
      },
      // started again, as any that ended
      () => spare.thread.terminate(),
    );
    this.service!.enter(this.places.indexOf(place));
  }

  /** Its job has run too long: it is ended, and goes the way of any worker that ended. */
  endHung(worker: number, forMs: number): void {
    const place = this.places[worker]!;
    if (place.thread === null || place.state !== 'serving' || place.hung !== null) return;
    place.hung = `ended after its job had run for ${Math.round(forMs)} ms`;
    void place.thread.terminate();
  }

  private async onEnded(
    place: Place,
    thread: WorkerThread,
    end: { exitCode: number; error: Error | null },
  ): Promise<void> {
    const index = this.places.indexOf(place);
    // its turn had come, and nobody had noticed
    if (place.spare?.thread === thread && this.hasLeft(place)) this.takeOver(place, place.spare);
    if (place.spare?.thread === thread) {
      place.spare = null;
      return;
    }
    if (place.thread !== thread) return;
    place.thread = null;
    const { service } = this;
    const hasLeft = service !== null && this.hasLeft(place);
    if (!this.closing && !hasLeft) {
      const why = end.error === null ? `exit code ${end.exitCode}` : `${end.error.name}: ${end.error.message}`;
      place.lastDeath = place.hung ?? why;
    }
    // one that is being brought up serves nothing yet: who brings it up is told
    if (service === null || place.state !== 'serving') return;
    if (this.closing) {
      service.settle(index);
      return;
    }
    if (!hasLeft) {
      place.deaths++;
      const cause = place.hung === null ? CAUSE_CRASHED : CAUSE_HUNG;
      service.leave(index, cause);
      endLife(this.memory!, index);
    }
    place.hung = null;
    if (place.spare !== null) {
      this.takeOver(place, place.spare);
      return;
    }
    if (hasLeft) service.leave(index);
    place.state = 'restarting';
    await this.restart(place, index);
  }

  /** Whether the place's thread has ended its service in order. */
  hasLeft(place: Place): boolean {
    return endedLives(this.memory!, this.places.indexOf(place)) !== place.life;
  }

  private async restart(place: Place, index: number): Promise<void> {
    const service = this.service!;
    while (service.mayRestart(index, this.nowMs())) {
      const result = await this.bringUp(place);
      if (this.closing) return;
      const changed = result.ok ? changeOf(place.tasks, result.lanes, place.spec.modules).error : null;
      const failure = !result.ok ? result.error.message : (changed ?? (await this.failureToServe(place, index)));
      if (failure === null) return;
      // a module that cannot be imported is no death
      if (result.ok && changed === null) place.deaths++;
      const { thread } = place;
      // one that ended by itself has said why
      if (thread !== null) place.lastDeath = failure;
      place.thread = null;
      await thread?.terminate();
      // it may have begun to serve before its answer was lost
      service.settle(index);
    }
    place.state = 'gone';
    service.giveUp(index);
  }

  private async failureToServe(place: Place, index: number): Promise<string | null> {
    try {
      await this.enterService(place, index);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }
}
