import { FrameDeadlineError } from '../base/errors.js';
import type { Clock } from '../base/time.js';
import type { ServeTelemetry } from '../host/telemetry-socket.js';
import { OUTCOME_CANCELLED } from '../memory/layout.js';
import { CAUSE_CRASHED, CAUSE_HUNG } from '../telemetry/outcomes.js';
import { AttachedMemory } from '../worker/attached-memory.js';
import { endedLives, endLife } from '../worker/turn.js';
import { Beat } from './beat.js';
import { Undertaker } from './dead-worker.js';
import { Handovers } from './handovers.js';
import { HungWorkers } from './hung-workers.js';
import { LaneService } from './lane-service.js';
import { endsWithin, type Place, type Spare, type WorkerThread } from './places.js';
import type {
  AttachRequest,
  AttachResult,
  LoadResult,
  ReloadAnswer,
  ReloadRequest,
  ServeRequest,
  ServeResult,
  SupervisorApi,
  SupervisorSetup,
  WorkerSpec,
  WorkerState,
} from './protocol.js';
import { Quarantine } from './quarantine.js';
import { Reloading } from './reload.js';
import { Spares, type WarmSpare } from './spares.js';
import { changeOf } from './task-change.js';
import { TelemetryServing } from './telemetry-serving.js';
import { ThreadEndings, WRITE_OFF_MS } from './thread-endings.js';
import type { GivenAgain } from './transfer.js';

/** Beyond the time that `initialize` may take, which the worker itself minds. */
const ATTACH_MARGIN_MS = 1000;

/** Starts a worker thread; rejects when it does not come up within the time. */
export type SpawnWorker = (spec: WorkerSpec, timeoutMs: number) => Promise<WorkerThread>;

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
  private quarantine: Quarantine | null;
  spares: Spares | null;
  hung: HungWorkers | null;
  readonly endings: ThreadEndings;
  private reloading: Reloading | null;
  private beat: Beat | null;
  closing: boolean;
  /** What ends at once when the supervisor closes: threads that hang would have it wait for its whole time. */
  private readonly onClosing: Set<() => void>;

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
    this.quarantine = null;
    this.spares = null;
    this.hung = null;
    this.endings = new ThreadEndings();
    this.reloading = null;
    this.beat = null;
    this.closing = false;
    this.onClosing = new Set();
  }

  async start(workers: readonly WorkerSpec[], readyTimeoutMs: number, epochUs: number): Promise<readonly LoadResult[]> {
    this.readyTimeoutMs = readyTimeoutMs;
    this.epochUs = epochUs;
    this.places = workers.map((spec, column) => ({
      column,
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
      writtenOff: 0,
      quarantined: [],
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
    this.undertaker = new Undertaker(this.memory, setup.lanes, setup.tasks, this.clockSince(this.epochUs));
    this.quarantine = new Quarantine(this.memory, this.nowMs);
    const lanesOf = (place: number): number[] => setup.workers[place]!.lanes.map((lane) => lane.index);
    const spareColumns = setup.spareGroups.flatMap(({ places, columns }) => columns.map(() => places[0]!));
    const lanes = [...setup.workers.keys(), ...spareColumns].map(lanesOf);
    if (setup.beats) this.beat = new Beat(this.memory, this.clockSince(this.epochUs));
    this.beat?.start();
    this.service = new LaneService(this.memory, this.undertaker, lanes, this.places.length);
    this.hung = new HungWorkers(this, this.memory, this.service, this.undertaker, this.quarantine);
    await Promise.all(this.places.map((place) => this.enterService(place)));
    if (setup.hangMs !== null) this.hung.startWatch(this.clockSince(this.epochUs), setup.hangMs);
    this.spares = new Spares(this, this.memory, this.service, setup.spareGroups, () => this.hung!.fillPlaces());
    this.spares.start(setup.spareDelayMs);
    return this.workers();
  }

  workers(): readonly WorkerState[] {
    return this.places.map((place) => {
      const { report, probes, state, deaths, lastDeath, writtenOff, quarantined } = place;
      const spares = this.spares?.readyFor(place) ?? 0;
      return { report, probes, state, deaths, lastDeath, spares, writtenOff, quarantined };
    });
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

  async close(graceMs: number): Promise<number> {
    this.closing = true;
    for (const end of this.onClosing) end();
    this.hung?.stopWatch();
    this.beat?.stop();
    this.handovers?.close();
    void this.serving.stopAll();
    const sparesEnded = this.spares?.close();
    await this.reloading?.close();
    for (const place of this.places) this.service?.stop(place.column);
    let left = 0;
    const closing = this.places.map(async ({ thread, column }) => {
      if (thread === null || (await endsWithin(thread, this.memory === null ? 0 : graceMs))) return;
      void thread.terminate();
      if (await endsWithin(thread, WRITE_OFF_MS)) return;
      left++;
      this.undertaker?.retire(column, CAUSE_HUNG, true);
    });
    const hungLeft = this.hung?.close() ?? 0;
    await Promise.all(closing);
    left += await hungLeft;
    await sparesEnded;
    left += await this.endings.left();
    if (this.memory !== null) this.undertaker!.settleAll(OUTCOME_CANCELLED);
    return left;
  }

  /** Spawns a worker and lets it import its task modules. */
  private bringUp(place: Place): Promise<LoadResult> {
    return this.load(place.spec, (thread) => {
      place.thread = thread;
    });
  }

  /** Spawns a thread for a worker and lets it import the modules of `spec`. `onSpawned`: before it does. Never rejects. */
  async load(spec: WorkerSpec, onSpawned: (thread: WorkerThread) => void): Promise<LoadResult> {
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
      void thread.ended.then((end) => this.onEnded(thread, end));
      const modules = spec.modules.map((module) => module.url).join(', ');
      const message = `worker ${spec.name} had not imported its task modules after ${this.readyTimeoutMs} ms (${modules}); look for a loop or a top-level await that never ends, or raise readyTimeoutMs`;
      return await this.within(this.readyTimeoutMs, message, thread.api.load(spec.modules));
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      return failed(code ?? 'WORKER_DIED', message.replace(/ \[[A-Z_]+\]$/, ''));
    }
  }

  private async enterService(place: Place): Promise<void> {
    const { column } = place;
    const request = await this.handovers!.requestFor(this.places.indexOf(place));
    this.service!.prepare(column);
    place.life = endedLives(this.memory!, column);
    const { thread } = place;
    if (thread === null) {
      const why = place.lastDeath ?? 'its thread is gone';
      throw new FrameDeadlineError('WORKER_DIED', `${place.spec.name} ended before it served: ${why}`);
    }
    const attached = await this.attachThread(thread, { ...request, column, replaces: place.deaths > 0 });
    // its answer and its end may come together: then nobody else takes the end for that of a serving worker
    if (place.thread !== thread) {
      throw new FrameDeadlineError('WORKER_DIED', `${place.spec.name} ended when it began to serve`);
    }
    place.report = attached.thread;
    place.probes = attached.probes;
    this.nowServes(place);
  }

  private nowServes(place: Place): void {
    place.hung = null;
    place.state = 'serving';
    this.service!.enter(place.column);
    this.hung!.serves(place.column);
    this.spares?.encourage(place);
  }

  /** A thread to serve as the worker when the present one has ended its service attaches. */
  async attachSpare(place: Place, spare: Spare): Promise<AttachResult> {
    const request = await this.handovers!.requestFor(this.places.indexOf(place));
    return this.attachThread(spare.thread, { ...request, column: place.column, life: spare.life });
  }

  /** A thread attaches, with `initialize` of its task modules. @throws FrameDeadlineError READY_TIMEOUT */
  async attachThread(thread: WorkerThread, request: AttachRequest): Promise<AttachResult> {
    // one that waits for a promise says so itself; a loop cannot
    const limitMs = this.readyTimeoutMs * request.lanes.length + ATTACH_MARGIN_MS;
    const lanes = request.lanes.map(({ name }) => name).join(', ');
    const message = `${request.thread.name}: initialize() of its task modules (lanes ${lanes}) was not done after ${limitMs} ms; look for a loop or a call that does not return, or raise readyTimeoutMs`;
    return this.within(limitMs, message, thread.api.attach(request));
  }

  /** What a thread answers, if it does in time and nobody closes the scheduler. @throws FrameDeadlineError READY_TIMEOUT */
  private async within<T>(limitMs: number, message: string, answer: Promise<T>): Promise<T> {
    let end = (): void => {};
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new FrameDeadlineError('READY_TIMEOUT', message)), limitMs);
      end = () => reject(new FrameDeadlineError('SCHEDULER_CLOSED', 'the scheduler was closed meanwhile'));
    });
    this.onClosing.add(end);
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      this.onClosing.delete(end);
    }
  }

  /** The old thread has ended its service, and the turn of the one that a reload has made has come. */
  takeOver(place: Place, spare: Spare): void {
    place.spare = null;
    place.thread = spare.thread;
    place.spec = spare.spec;
    place.life = spare.life;
    spare.attached ??= this.attachSpare(place, spare);
    this.noteAttached(place, spare.thread, spare.attached);
    this.nowServes(place);
  }

  private noteAttached(place: Place, of: WorkerThread, attached: Promise<AttachResult>): void {
    attached.then(
      ({ thread, probes }) => {
        if (place.thread !== of) return;
        place.report = thread;
        place.probes = probes;
      },
      // started again, as any that ended
      () => of.terminate(),
    );
  }

  /** A warm spare takes the place, whose thread serves no more. */
  async install(place: Place, spare: WarmSpare): Promise<void> {
    this.service!.replace(this.places.indexOf(place), place.column, spare.column);
    place.thread = spare.thread;
    place.column = spare.column;
    place.spec = spare.spec;
    if (spare.attached !== null) {
      const { thread, probes } = spare.attached;
      place.report = thread;
      place.probes = probes;
      place.life = endedLives(this.memory!, spare.column) + 1;
      this.nowServes(place);
      // its turn
      endLife(this.memory!, spare.column);
      return;
    }
    place.state = 'restarting';
    const failure = await this.failureToServe(place);
    if (failure === null || this.closing) return;
    place.deaths++;
    await this.clear(place, failure);
    await this.replaceDead(place, true);
  }

  /** Two real-time threads of one worker would ask for more budget than it declared. */
  needsOldGone(place: Place): boolean {
    return this.setup!.workers[this.places.indexOf(place)]!.thread.priority === 'realtime';
  }

  /** The tasks of these places have new code. */
  liftQuarantine(places: readonly Place[]): void {
    const tasks = places.flatMap((place) => this.setup!.workers[this.places.indexOf(place)]!.tasks);
    for (const { index } of tasks) this.quarantine!.lift(index, this.places);
  }

  private async onEnded(thread: WorkerThread, end: { exitCode: number; error: Error | null }): Promise<void> {
    if (this.hung?.ended(thread) === true) return;
    if (this.spares?.forget(thread) === true) return;
    const place = this.places.find((one) => one.thread === thread || one.spare?.thread === thread);
    if (place === undefined) return;
    // its turn had come, and nobody had noticed
    if (place.spare?.thread === thread && this.hasLeft(place)) this.takeOver(place, place.spare);
    if (place.spare?.thread === thread) {
      place.spare = null;
      return;
    }
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
      service.settle(place.column);
      return;
    }
    let isOwnDeath = !hasLeft;
    if (!hasLeft) {
      place.deaths++;
      isOwnDeath = !this.quarantine!.noteKill(place, this.memory!.runningTask(place.column));
      service.leave(place.column, place.hung === null ? CAUSE_CRASHED : CAUSE_HUNG);
      endLife(this.memory!, place.column);
    }
    place.hung = null;
    if (place.spare !== null) {
      this.takeOver(place, place.spare);
      return;
    }
    if (hasLeft) service.leave(place.column);
    place.state = 'restarting';
    await this.replaceDead(place, isOwnDeath);
  }

  /** Whether the place's thread has ended its service in order. */
  hasLeft(place: Place): boolean {
    return endedLives(this.memory!, place.column) !== place.life;
  }

  /**
   * Finds a thread for a place whose old one is gone: a warm spare, or a new one. `isOwnDeath`: no task was to blame, which
   * would be kept from ending another one.
   */
  async replaceDead(place: Place, isOwnDeath: boolean): Promise<void> {
    const service = this.service!;
    const mayRestart = service.mayRestart(this.places.indexOf(place), this.nowMs());
    if (!mayRestart && isOwnDeath) {
      this.giveUp(place);
      return;
    }
    // none yet while other workers attach
    const spare = this.spares?.take(place) ?? null;
    if (spare === null) {
      await this.restart(place);
      return;
    }
    const { column } = place;
    const installed = this.install(place, spare);
    this.spares!.freeColumn(place, column);
    await installed;
  }

  private async restart(place: Place): Promise<void> {
    const service = this.service!;
    do {
      const result = await this.bringUp(place);
      if (this.closing) return;
      const changed = result.ok ? changeOf(place.tasks, result.lanes, place.spec.modules).error : null;
      const failure = !result.ok ? result.error.message : (changed ?? (await this.failureToServe(place)));
      if (failure === null) return;
      // a module that cannot be imported is no death
      if (result.ok && changed === null) place.deaths++;
      await this.clear(place, failure);
    } while (service.mayRestart(this.places.indexOf(place), this.nowMs()));
    this.giveUp(place);
  }

  /** Ends a thread that did not come into service. */
  private async clear(place: Place, failure: string): Promise<void> {
    const { thread } = place;
    // one that ended by itself has said why
    if (thread !== null) place.lastDeath = failure;
    place.thread = null;
    if (thread !== null) await this.endings.end(thread);
    // it may have begun to serve before its answer was lost
    this.service!.settle(place.column);
  }

  private giveUp(place: Place): void {
    place.state = 'gone';
    this.service!.giveUp(place.column);
  }

  private async failureToServe(place: Place): Promise<string | null> {
    try {
      await this.enterService(place);
      return null;
    } catch (error) {
      return (error as Error).message;
    }
  }
}
