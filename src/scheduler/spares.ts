import type { AttachedMemory } from '../worker/attached-memory.js';
import { endedLives } from '../worker/turn.js';
import type { LaneService } from './lane-service.js';
import type { Place, WorkerThread } from './places.js';
import type { AttachResult, WorkerSpec } from './protocol.js';
import type { SpareGroup } from './spare-groups.js';
import type { Supervisor } from './supervisor.js';
import { changeOf } from './task-change.js';

/** A group whose spares fail so often in a row gets none any more until one of its workers has started again. */
const MAX_FAILURES = 3;

/** A thread with the task modules loaded, which may take the place of a worker of its group. */
export interface WarmSpare {
  readonly thread: WorkerThread;
  readonly spec: WorkerSpec;
  readonly column: number;
  /** What its attaching gave: it waits for nothing but its turn. null: it is to attach when its turn comes. */
  readonly attached: AttachResult | null;
}

interface Group {
  readonly places: readonly Place[];
  /** Columns in which no thread lives. */
  free: number[];
  ready: WarmSpare[];
  making: number;
  failures: number;
}

/**
 * The warm spares: threads that have imported the task modules and wait, each in a column of its own, to take the place
 * of a worker that hangs or has died. One that is taken is replaced by a new one as soon as a column is free. Supervisor.
 */
export class Spares {
  private readonly supervisor: Supervisor;
  private readonly memory: AttachedMemory;
  private readonly service: LaneService;
  private readonly groups: readonly Group[];
  private readonly onMade: () => void;
  /** Those that are not in service, made or being made. */
  private readonly threads: Set<WorkerThread>;
  private delay: ReturnType<typeof setTimeout> | null;
  private held: number;

  /** `onMade`: there is one more, or one that was being made has failed. */
  constructor(
    supervisor: Supervisor,
    memory: AttachedMemory,
    service: LaneService,
    groups: readonly SpareGroup[],
    onMade: () => void,
  ) {
    this.supervisor = supervisor;
    this.memory = memory;
    this.service = service;
    this.groups = groups.map(({ places, columns }) => ({
      places: places.map((place) => supervisor.places[place]!),
      free: [...columns],
      ready: [],
      making: 0,
      failures: 0,
    }));
    this.onMade = onMade;
    this.threads = new Set();
    this.delay = null;
    this.held = 0;
  }

  /** Begins to make them, after a while. */
  start(delayMs: number): void {
    this.held = 1;
    this.delay = setTimeout(() => {
      this.held--;
      this.fill();
    }, delayMs);
  }

  /** How many wait for the worker's place. */
  readyFor(place: Place): number {
    return this.groupOf(place)?.ready.length ?? 0;
  }

  /** Whether one is there for the place, or will be. */
  willCome(place: Place): boolean {
    const group = this.groupOf(place);
    if (group === undefined) return false;
    // while a reload is under way none is made
    const isHeld = this.held > 0 && group.free.length > 0 && group.failures < MAX_FAILURES;
    return group.ready.length > 0 || group.making > 0 || isHeld;
  }

  take(place: Place): WarmSpare | null {
    const spare = this.groupOf(place)?.ready.shift() ?? null;
    if (spare !== null) this.threads.delete(spare.thread);
    return spare;
  }

  /** No thread lives in the column any more. */
  freeColumn(place: Place, column: number): void {
    const group = this.groupOf(place);
    if (group === undefined) return;
    group.free.push(column);
    this.fill();
  }

  /** A worker of the group serves: what kept its spares from starting may be over. */
  encourage(place: Place): void {
    const group = this.groupOf(place);
    if (group !== undefined) group.failures = 0;
  }

  /** Whether the thread was one of them: it is forgotten, and another one made. */
  forget(thread: WorkerThread): boolean {
    if (!this.threads.delete(thread)) return false;
    for (const group of this.groups) {
      const at = group.ready.findIndex((spare) => spare.thread === thread);
      if (at < 0) continue;
      const [spare] = group.ready.splice(at, 1);
      group.failures++;
      group.free.push(spare!.column);
      this.fill();
    }
    return true;
  }

  /** Ends the spares of these places, which hold old code, and makes no new ones before `resume`. */
  async discard(places: readonly Place[]): Promise<void> {
    this.held++;
    const ended: Promise<unknown>[] = [];
    for (const group of this.groups) {
      if (!group.places.some((place) => places.includes(place))) continue;
      for (const spare of group.ready.splice(0)) {
        this.threads.delete(spare.thread);
        void spare.thread.ended.then(() => group.free.push(spare.column));
        ended.push(this.supervisor.endings.end(spare.thread));
      }
    }
    await Promise.all(ended);
  }

  resume(): void {
    this.held--;
    this.fill();
  }

  /** Ends them all. The supervisor is closing. */
  async close(): Promise<void> {
    this.held++;
    if (this.delay !== null) clearTimeout(this.delay);
    await Promise.all([...this.threads].map((thread) => this.supervisor.endings.end(thread)));
  }

  private groupOf(place: Place): Group | undefined {
    return this.groups.find((group) => group.places.includes(place));
  }

  private fill(): void {
    if (this.held > 0 || this.supervisor.closing) return;
    for (const group of this.groups) {
      while (group.free.length > 0 && group.failures < MAX_FAILURES) void this.make(group, group.free.shift()!);
    }
  }

  private async make(group: Group, column: number): Promise<void> {
    group.making++;
    let thread: WorkerThread | null = null;
    try {
      const place = group.places.find((one) => one.state === 'serving') ?? group.places[0]!;
      const { spec } = place;
      const result = await this.supervisor.load(spec, (spawned) => {
        thread = spawned;
        this.threads.add(spawned);
      });
      if (!result.ok) throw new Error(result.error.message);
      const change = changeOf(place.tasks, result.lanes, spec.modules);
      if (change.error !== null) throw new Error(change.error);
      const attached = await this.attach(group, thread!, column);
      // a reload has changed the code meanwhile
      if (!this.threads.has(thread!) || this.held > 0 || place.spec !== spec) throw new Error('superseded');
      group.ready.push({ thread: thread!, spec, column, attached });
      group.making--;
      group.failures = 0;
      this.onMade();
    } catch (error) {
      group.making--;
      if ((error as Error).message !== 'superseded') group.failures++;
      const failed = thread as WorkerThread | null;
      if (failed !== null) {
        this.threads.delete(failed);
        // its column is its own until it is gone
        void this.supervisor.endings.end(failed);
        await failed.ended;
      }
      group.free.push(column);
      this.fill();
      this.onMade();
    }
  }

  /** Lets it do all that it can before its turn; null where that would take something from the worker in service. */
  private async attach(group: Group, thread: WorkerThread, column: number): Promise<AttachResult | null> {
    const index = this.supervisor.places.indexOf(group.places[0]!);
    const request = this.supervisor.setup!.workers[index]!;
    const hasHandovers = (request.handovers ?? []).length > 0;
    // two real-time threads would ask for more budget than the worker declared
    if (hasHandovers || request.thread.priority === 'realtime') return null;
    this.service.prepare(column);
    const life = endedLives(this.memory, column) + 1;
    const initializeAtTurn = group.places.length > 1;
    return this.supervisor.attachThread(thread, { ...request, column, life, initializeAtTurn, replaces: false });
  }
}
