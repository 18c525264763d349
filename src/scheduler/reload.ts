import type { Clock } from '../base/time.js';
import {
  CONTROL_SWITCHING,
  LANE_NEXT_PERIOD,
  SUPERVISOR_COLUMN,
  WORKER_CURRENT_START_US,
  WORKER_CURRENT_TASK,
} from '../memory/layout.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import { endedLives } from '../worker/turn.js';
import type { LaneService } from './lane-service.js';
import { errorWithCode, plainErrorOf } from './load-tasks.js';
import { endsWithin, type Place, type Spare, type WorkerThread } from './places.js';
import type { LoadResult, ReloadAnswer, ReloadRequest, WorkerSpec } from './protocol.js';
import { endSwitch, hasUnfinishedFrame } from './reload-frames.js';
import type { Supervisor } from './supervisor.js';
import { changeOf } from './task-change.js';

/** How long a moment between frames is waited for, before frames that begin are held. */
const PATIENCE_MS = 250;
/** A job that has run so long is waited for without holding frames. */
const LONG_JOB_MS = 50;
/** The next period is not released sooner, or half a period, after a moment that suits. */
const CLEAR_OF_RELEASE_US = 2000;
const POLL_MS = 1;
/** For the old thread's exit, beyond `drainMs`. */
const EXIT_MS = 1000;
const WHAT_TO_DO =
  'the old code stays in service; close the scheduler and create it anew (in a page: reload it), or undo the change';

class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * One reload: spares import the task modules, then all workers that are replaced change over between two frames. Runs on
 * the supervisor, so that it goes on while the main thread is blocked.
 *
 * A spare has everything but its turn: it waits in `awaitTurn` for the old thread's `endLife`, or for the supervisor's if
 * that thread dies. So a death on the way only hastens the change of that worker.
 */
export class Reloading {
  private readonly supervisor: Supervisor;
  private readonly memory: AttachedMemory;
  private readonly service: LaneService;
  private readonly clock: Clock;
  private readonly request: ReloadRequest;
  /** Loaded and not in service. */
  private readonly threads: Set<WorkerThread>;
  private ending: Promise<unknown> | null;

  constructor(
    supervisor: Supervisor,
    memory: AttachedMemory,
    service: LaneService,
    clock: Clock,
    request: ReloadRequest,
  ) {
    this.supervisor = supervisor;
    this.memory = memory;
    this.service = service;
    this.clock = clock;
    this.request = request;
    this.threads = new Set();
    this.ending = null;
  }

  /** Never rejects. */
  async run(): Promise<ReloadAnswer> {
    const running = this.replace();
    this.ending = running.catch(() => {});
    try {
      return await running;
    } catch (error) {
      if (!(error instanceof Refused))
        return { ok: false, error: plainErrorOf(errorWithCode(error), 'WORKER_DIED', '') };
      const { code, message } = error;
      return { ok: false, error: { code, message, stack: null } };
    }
  }

  /** Ends it before the workers are ended. The supervisor is closing. */
  async close(): Promise<void> {
    endSwitch(this.memory, SUPERVISOR_COLUMN);
    for (const thread of this.threads) void this.supervisor.endings.end(thread);
    await this.ending;
  }

  private async replace(): Promise<ReloadAnswer> {
    const startedMs = this.nowMs();
    const places = this.request.workers.map((worker) => this.supervisor.places[worker]!);
    const living = places.filter((place) => place.state !== 'gone');
    if (living.length === 0) {
      throw new Refused('WORKER_DIED', 'its workers died too often and were given up; create the scheduler anew');
    }
    this.requireRepeatable(living);
    await this.supervisor.spares!.discard(living);
    const spares = new Map<Place, Spare>();
    const old = new Map<Place, WorkerThread>();
    try {
      const addedTasks = await this.loadAll(living, spares);
      const hung = this.supervisor.hung!;
      const isSettled = (place: Place): boolean => place.state !== 'restarting' || hung.waitsForSpare(place);
      await this.until(Number.POSITIVE_INFINITY, () => living.every(isSettled));
      // the spare that comes when this is over imports the new code; the column is not free for another
      for (const place of living) if (hung.waitsForSpare(place)) this.leave(place, spares);
      await this.attachAll(spares);
      const readyMs = this.nowMs();
      for (const place of living) if (place.thread !== null) old.set(place, place.thread);
      await this.switchOver([...spares.keys()]);
      const switchedMs = this.nowMs();
      const replaced = living.filter((place) => place.state === 'serving');
      this.supervisor.liftQuarantine(replaced);
      await Promise.all([...old].map(([place, thread]) => (place.thread === thread ? null : this.awaitEnd(thread))));
      this.requireNoneWrittenOff(old);
      return {
        ok: true,
        workers: replaced.map((place) => this.indexOf(place)),
        addedTasks,
        loadMs: readyMs - startedMs,
        switchMs: switchedMs - readyMs,
      };
    } finally {
      endSwitch(this.memory, SUPERVISOR_COLUMN);
      for (const [place, spare] of spares) {
        if (place.spare === spare) place.spare = null;
        if (place.thread === spare.thread) this.threads.delete(spare.thread);
      }
      await Promise.all([...this.threads].map((thread) => this.supervisor.endings.end(thread)));
      this.supervisor.spares!.resume();
    }
  }

  /** Its spare of the new code is not used; the next one imports it too. */
  private leave(place: Place, spares: Map<Place, Spare>): void {
    const spare = spares.get(place);
    if (spare !== undefined) place.spec = spare.spec;
    spares.delete(place);
  }

  /** A thread that has left its service in order: what it does at its exit is not waited for for ever. */
  private async awaitEnd(thread: WorkerThread): Promise<void> {
    if (this.supervisor.hung!.hasWrittenOff(thread)) return;
    if (!(await endsWithin(thread, this.request.drainMs + EXIT_MS))) await this.supervisor.endings.end(thread);
  }

  private requireNoneWrittenOff(old: ReadonlyMap<Place, WorkerThread>): void {
    const stuck = [...old].filter(([, thread]) => this.supervisor.hung!.hasWrittenOff(thread));
    if (stuck.length === 0) return;
    for (const [place] of stuck) place.spec = this.newSpec(place.spec);
    const names = stuck.map(([{ spec }]) => spec.name).join(', ');
    const what = stuck.every(([place]) => place.state === 'gone')
      ? 'there is no spare to take its place'
      : 'a spare that imports the new code takes its place';
    throw new Refused(
      'WORKER_DIED',
      `${names} hangs in native code and cannot be ended: its thread is written off; ${what}`,
    );
  }

  /** What was transferred to the old thread cannot be had again unless the lane makes it anew. */
  private requireRepeatable(places: readonly Place[]): void {
    for (const place of places) {
      const { handovers = [] } = this.supervisor.setup!.workers[this.indexOf(place)]!;
      for (const { laneName, names, isRepeatable } of handovers) {
        if (isRepeatable) continue;
        throw new Refused(
          'RELOAD_UNAVAILABLE',
          `lane ${laneName}: ${names.join(', ')} was transferred to the worker and cannot come back from it; make lanes.${laneName}.transfer a function, which is called for each worker that starts`,
        );
      }
    }
  }

  private async loadAll(places: readonly Place[], spares: Map<Place, Spare>): Promise<string[]> {
    const loaded = await Promise.all(
      places.map(async (place): Promise<{ thread: WorkerThread | null; spec: WorkerSpec; result: LoadResult }> => {
        const spec = this.newSpec(place.spec);
        let thread: WorkerThread | null = null;
        const result = await this.supervisor.load(spec, (spawned) => {
          thread = spawned;
          this.threads.add(spawned);
        });
        return { thread, spec, result };
      }),
    );
    const added = new Set<string>();
    loaded.forEach(({ thread, spec, result }, i) => {
      this.requireOpen();
      if (!result.ok) throw new Refused(result.error.code, result.error.message);
      const place = places[i]!;
      const change = changeOf(place.tasks, result.lanes, spec.modules);
      if (change.error !== null) throw new Refused('TASK_MODULE_MISMATCH', `${change.error}; ${WHAT_TO_DO}`);
      for (const name of change.added) added.add(name);
      spares.set(place, { thread: thread!, spec, life: 0, attached: null });
    });
    return [...added];
  }

  private newSpec(spec: WorkerSpec): WorkerSpec {
    const modules = spec.modules.map((module) => {
      const url = this.request.urls.find((of) => of.lane === module.lane)?.url;
      return url === undefined ? module : { ...module, url };
    });
    return { ...spec, modules };
  }

  /** Lets the spares do all that they can before their turn. */
  private async attachAll(spares: Map<Place, Spare>): Promise<void> {
    const attaching: Promise<unknown>[] = [];
    for (const [place, { thread, spec }] of spares) {
      const spare: Spare = { thread, spec, life: endedLives(this.memory, place.column) + 1, attached: null };
      spares.set(place, spare);
      if (place.state === 'gone') continue;
      place.spare = spare;
      if (this.supervisor.needsOldGone(place)) continue;
      spare.attached = this.supervisor.attachSpare(place, spare);
      attaching.push(spare.attached);
    }
    const results = await Promise.allSettled(attaching);
    this.requireOpen();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    this.requireSpares(spares);
  }

  private requireSpares(spares: ReadonlyMap<Place, Spare>): void {
    for (const [place, spare] of spares) {
      if (place.state === 'gone' || place.spare === spare || place.thread === spare.thread) continue;
      throw new Refused(
        'WORKER_DIED',
        `${place.spec.name} ended before its turn came; look at what its task modules do when they are imported`,
      );
    }
  }

  private async switchOver(places: readonly Place[]): Promise<void> {
    const { drainMs } = this.request;
    const pending = (): Place[] => places.filter((place) => place.spare !== null);
    const startedMs = this.nowMs();
    await this.until(PATIENCE_MS + drainMs, () => {
      const isLongJob = pending().some((place) => this.runsForMs(place) > LONG_JOB_MS);
      if (this.nowMs() - startedMs > PATIENCE_MS && !isLongJob) return true;
      return this.suits(pending());
    });
    for (const place of pending()) this.endIfHung(place);
    await this.until(drainMs, () => pending().every((place) => place.hung === null));

    Atomics.store(this.memory.control, CONTROL_SWITCHING, 1); // release
    await this.until(drainMs, () => !hasUnfinishedFrame(this.memory));
    const leaving = new Map(pending().map((place) => [place, place.thread]));
    for (const place of leaving.keys()) {
      place.spec = place.spare!.spec;
      this.service.handOver(place.column);
    }
    const isOver = (): boolean => {
      for (const [place, thread] of leaving) {
        if (place.spare !== null && place.thread === thread && this.supervisor.hasLeft(place)) this.noteLeft(place);
      }
      const { hung } = this.supervisor;
      return [...leaving].every(
        ([place, thread]) => hung!.hasWrittenOff(thread) || (place.thread !== thread && place.state !== 'restarting'),
      );
    };
    await this.until(drainMs, isOver);
    for (const [place, thread] of leaving) if (place.thread === thread) this.endIfHung(place, true);
    await this.until(Number.POSITIVE_INFINITY, isOver);
    endSwitch(this.memory, SUPERVISOR_COLUMN);
  }

  /** The old thread has let go in order. A spare that could not attach beside it does so when it is gone. */
  private noteLeft(place: Place): void {
    const { spare } = place;
    if (spare !== null && spare.attached !== null) this.supervisor.takeOver(place, spare);
  }

  private endIfHung(place: Place, isStopped = false): void {
    const forMs = this.runsForMs(place);
    if (isStopped || forMs > this.request.drainMs) this.supervisor.hung!.end(place, forMs);
  }

  /** Whether nothing runs and no frame is under way, and no period is about to be released. */
  private suits(places: readonly Place[]): boolean {
    if (hasUnfinishedFrame(this.memory)) return false;
    return places.every((place) => this.runsForMs(place) < 0 && this.isClearOfReleases(place));
  }

  private isClearOfReleases(place: Place): boolean {
    const { control, layout } = this.memory;
    const nowUs = this.clock.nowPreciseUs();
    return this.supervisor.setup!.workers[this.indexOf(place)]!.lanes.every(({ index, periodic }) => {
      if (periodic === null) return true;
      const next = Atomics.load(control, layout.lane(index) + LANE_NEXT_PERIOD) >>> 0;
      const leftUs = periodic.startUs + next * periodic.periodUs - nowUs;
      return leftUs > Math.min(CLEAR_OF_RELEASE_US, periodic.periodUs / 2);
    });
  }

  /** For how long its job has run; negative if it runs none. */
  private runsForMs(place: Place): number {
    const base = this.memory.layout.worker(place.column);
    const task = Atomics.load(this.memory.control, base + WORKER_CURRENT_TASK); // acquire
    const startUs = Atomics.load(this.memory.control, base + WORKER_CURRENT_START_US);
    return task === 0 ? -1 : Math.max(0, ((this.clock.nowUs() - startUs) | 0) / 1000);
  }

  /** Looks again and again until it holds or the time is over. */
  private async until(limitMs: number, holds: () => boolean): Promise<void> {
    const endMs = this.nowMs() + limitMs;
    for (;;) {
      this.requireOpen();
      if (holds() || this.nowMs() >= endMs) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  private requireOpen(): void {
    if (this.supervisor.closing) throw new Refused('SCHEDULER_CLOSED', 'the scheduler was closed meanwhile');
  }

  private nowMs(): number {
    return this.clock.nowPreciseUs() / 1000;
  }

  private indexOf(place: Place): number {
    return this.supervisor.places.indexOf(place);
  }
}
