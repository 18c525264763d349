import type { Clock } from '../base/time.js';
import { CAUSE_HUNG } from '../telemetry/outcomes.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import type { RetiredSlot, Undertaker } from './dead-worker.js';
import { HangWatch, type SeenJob } from './hang-watch.js';
import type { LaneService } from './lane-service.js';
import { endsWithin, type Place, type WorkerThread } from './places.js';
import type { Quarantine } from './quarantine.js';
import type { Spares, WarmSpare } from './spares.js';
import { WRITE_OFF_MS } from './thread-endings.js';

/** A thread that was taken out of service while it runs a job that does not end. */
interface Condemned {
  readonly place: Place;
  readonly thread: WorkerThread;
  readonly column: number;
  readonly retired: RetiredSlot[];
  /** Its place was taken. */
  isReplaced: boolean;
  /** It does not end: nothing waits for that any more. */
  isWrittenOff: boolean;
  timer: ReturnType<typeof setTimeout> | null;
}

/** Who keeps the places that hung threads leave: the supervisor. */
export interface PlaceKeeper {
  readonly places: readonly Place[];
  readonly closing: boolean;
  readonly spares: Pick<Spares, 'take' | 'freeColumn' | 'willCome'> | null;
  /** Whether a new thread can begin only when the old one is gone. */
  needsOldGone(place: Place): boolean;
  /** A warm spare takes the place, whose thread serves no more. */
  install(place: Place, spare: WarmSpare): Promise<void>;
  /** Finds a thread for a place whose old one is gone. */
  replaceDead(place: Place, isOwnDeath: boolean): Promise<void>;
}

/**
 * What is done about jobs that do not end. The worker is taken out of service while its thread still runs: its job is
 * lost, a spare takes the place, the thread is ended. It may come back before it is gone, and then takes no job more;
 * what it may still write to (its slot, its column) is nobody else's until then. `model/takeover.pml` checks it. Supervisor.
 */
export class HungWorkers {
  private readonly keeper: PlaceKeeper;
  private readonly memory: AttachedMemory;
  private readonly service: LaneService;
  private readonly undertaker: Undertaker;
  private readonly quarantine: Quarantine;
  private readonly condemned: Map<WorkerThread, Condemned>;
  private watch: HangWatch | null;

  constructor(
    keeper: PlaceKeeper,
    memory: AttachedMemory,
    service: LaneService,
    undertaker: Undertaker,
    quarantine: Quarantine,
  ) {
    this.keeper = keeper;
    this.memory = memory;
    this.service = service;
    this.undertaker = undertaker;
    this.quarantine = quarantine;
    this.condemned = new Map();
    this.watch = null;
  }

  /** Looks for jobs that run longer than `hangMs` from now on, in the columns that serve. */
  startWatch(clock: Clock, hangMs: number): void {
    this.watch = new HangWatch(this.memory, clock, hangMs, (column, forMs, job) => this.onHung(column, forMs, job));
    for (let column = this.keeper.places.length; column < this.memory.workerCount; column++) {
      this.watch.watches(column, false);
    }
    this.watch.start();
  }

  stopWatch(): void {
    this.watch?.stop();
  }

  /** A thread serves in the column from now on. */
  serves(column: number): void {
    this.watch?.watches(column, true);
  }

  /** A job has run too long. */
  onHung(column: number, forMs: number, job: SeenJob): void {
    const place = this.keeper.places.find((one) => one.column === column);
    if (place === undefined || this.keeper.closing) return;
    // a reload is under way: what it has made follows in the same column, when the thread is gone
    if (place.spare !== null || !this.condemn(place, forMs, job)) this.end(place, forMs);
  }

  /** Its job has run too long: its thread is ended, and goes the way of any worker that ended. */
  end(place: Place, forMs: number): void {
    const { thread } = place;
    if (thread === null || place.state !== 'serving' || place.hung !== null) return;
    place.hung = hungForMs(forMs);
    void thread.terminate();
    setTimeout(() => this.giveUpOn(place, thread), WRITE_OFF_MS);
  }

  /** Whether the thread was left to itself because it cannot be ended. */
  hasWrittenOff(thread: WorkerThread | null): boolean {
    return thread !== null && (this.condemned.get(thread)?.isWrittenOff ?? false);
  }

  /** Whether the place waits for a spare because its thread cannot be ended. */
  waitsForSpare(place: Place): boolean {
    if (place.state !== 'restarting') return false;
    return [...this.condemned.values()].some((one) => one.place === place && one.isWrittenOff && !one.isReplaced);
  }

  /** It was to end and does not: it hangs in native code. What a reload has made for its column cannot follow there. */
  private giveUpOn(place: Place, thread: WorkerThread): void {
    if (this.keeper.closing || place.thread !== thread) return;
    const { column } = place;
    const task = this.memory.runningTask(column);
    this.service.takeOut(column);
    this.watch?.watches(column, false);
    place.spare = null;
    const condemned = this.takeFrom(place, thread, place.hung, []);
    place.hung = null;
    this.quarantine.noteKill(place, task);
    this.writeOff(condemned);
  }

  /** Takes a worker out of service whose job does not end. False if that is not the way. */
  private condemn(place: Place, forMs: number, job: SeenJob): boolean {
    const { thread, column } = place;
    if (thread === null || place.state !== 'serving' || place.hung !== null) return true;
    const task = this.memory.runningTask(column);
    const answer = this.service.condemn(column, job);
    if (answer !== 'condemned') return answer === 'wentOn';
    this.watch?.watches(column, false);
    const retired = this.undertaker.retire(column, CAUSE_HUNG, false);
    const condemned = this.takeFrom(place, thread, hungForMs(forMs), retired);
    this.quarantine.noteKill(place, task);
    this.replace(condemned);
    condemned.timer = setTimeout(() => this.writeOff(condemned), WRITE_OFF_MS);
    void thread.terminate();
    return true;
  }

  /** The place has no thread from now on; what the thread may still write to is remembered. */
  private takeFrom(place: Place, thread: WorkerThread, death: string | null, retired: RetiredSlot[]): Condemned {
    place.thread = null;
    place.state = 'restarting';
    place.deaths++;
    place.lastDeath = death;
    const { column } = place;
    const condemned = { place, thread, column, retired, isReplaced: false, isWrittenOff: false, timer: null };
    this.condemned.set(thread, condemned);
    return condemned;
  }

  private replace(condemned: Condemned): void {
    const { place } = condemned;
    if (condemned.isReplaced || place.state !== 'restarting') return;
    // what it has to give up first it has when it is gone
    if (this.keeper.needsOldGone(place) && !condemned.isWrittenOff) return;
    const spare = this.keeper.spares!.take(place);
    if (spare === null) return;
    condemned.isReplaced = true;
    void this.keeper.install(place, spare);
  }

  /** The thread has ended. False if it was none of those that were taken out of service. */
  ended(thread: WorkerThread): boolean {
    const condemned = this.condemned.get(thread);
    if (condemned === undefined) return false;
    const { place, column, retired, timer } = condemned;
    this.condemned.delete(thread);
    if (timer !== null) clearTimeout(timer);
    this.service.settle(column, CAUSE_HUNG);
    this.undertaker.release(retired);
    if (condemned.isWrittenOff) place.writtenOff--;
    if (this.keeper.closing) return true;
    if (condemned.isReplaced) this.keeper.spares!.freeColumn(place, column);
    // as of any that died; its column is free for whoever follows. One that was given up stays so
    else if (place.state !== 'gone') void this.keeper.replaceDead(place, false);
    return true;
  }

  /** It hangs where nobody can end it: its thread and its slots are left to it. */
  private writeOff(condemned: Condemned): void {
    const { place, column } = condemned;
    if (this.keeper.closing) return;
    condemned.isWrittenOff = true;
    place.writtenOff++;
    if (!condemned.isReplaced) {
      place.lastDeath = `${place.lastDeath}; it hangs in native code and cannot be ended: its thread is written off`;
    }
    condemned.retired.push(...this.undertaker.retire(column, CAUSE_HUNG, true));
    this.fill(condemned);
  }

  /** A spare takes the place of a thread that was written off. If none will come, the place is given up. */
  private fill(condemned: Condemned): void {
    const { place, column } = condemned;
    this.replace(condemned);
    if (condemned.isReplaced || place.state !== 'restarting' || this.keeper.spares!.willCome(place)) return;
    place.state = 'gone';
    this.service.giveUp(column);
  }

  /** A spare is there, or one that was being made is not: a place whose thread was written off may wait for it. */
  fillPlaces(): void {
    if (this.keeper.closing) return;
    for (const condemned of this.condemned.values()) if (condemned.isWrittenOff) this.fill(condemned);
  }

  /** The supervisor is closing: waits for those that end. Resolves with how many do not. */
  async close(): Promise<number> {
    const ends = [...this.condemned.values()].map(async ({ thread, column, isWrittenOff, timer }) => {
      if (timer !== null) clearTimeout(timer);
      if (!isWrittenOff && (await endsWithin(thread, WRITE_OFF_MS))) return 0;
      this.undertaker.retire(column, CAUSE_HUNG, true);
      return 1;
    });
    return (await Promise.all(ends)).reduce<number>((sum, one) => sum + one, 0);
  }
}

const hungForMs = (forMs: number): string => `ended after its job had run for ${Math.round(forMs)} ms`;
