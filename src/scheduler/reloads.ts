import { checkKeys } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { errorFromPlain } from './load-tasks.js';
import type { NormalOptions, NormalWorker } from './options.js';
import type { ReloadAnswer, ReloadRequest } from './protocol.js';

export interface ReloadOptions {
  /** Another URL of the lane's task module, for this and later loads. Default: the same. */
  tasks?: URL | string;
  /**
   * How long a running job may hold the reload up, in milliseconds, 0 to 600 000: then its worker is ended and the job is
   * `lost` with cause `hung`. Frames that have not ended by then are split between old and new code. Default 1000.
   */
  drainMs?: number;
}

/** What a reload did. */
export interface ReloadResult {
  /** The lane that was asked for. */
  readonly lane: string;
  /** All lanes whose modules were imported anew: workers that serve several lanes are replaced whole. */
  readonly lanes: readonly string[];
  /** Names of the workers that were replaced. */
  readonly workers: readonly string[];
  /** Tasks that are new, as `lane.task`: they can be submitted once the scheduler is created anew. */
  readonly addedTasks: readonly string[];
  /** From the call to the new code in service on all workers, in milliseconds. */
  readonly ms: number;
  /** Of that: starting threads and importing modules, while the old code went on. */
  readonly loadMs: number;
  /** Of that: finding a moment between frames, and changing over. */
  readonly switchMs: number;
}

/** The host's side of reloads: one at a time, a lane that already waits for its turn is not asked for twice. */
export class Reloads {
  private readonly options: NormalOptions;
  private readonly workers: readonly NormalWorker[];
  private readonly ask: ((request: ReloadRequest) => Promise<ReloadAnswer>) | null;
  private last: Promise<unknown>;
  /** By lane, what is asked for without another URL, and has not begun. */
  private readonly queued: Map<number, Promise<ReloadResult>>;
  private readonly urls: Map<number, string>;

  constructor(
    options: NormalOptions,
    workers: readonly NormalWorker[],
    ask: ((request: ReloadRequest) => Promise<ReloadAnswer>) | null,
  ) {
    this.options = options;
    this.workers = workers;
    this.ask = ask;
    this.last = Promise.resolve();
    this.queued = new Map();
    this.urls = new Map();
  }

  async reload(lane: string, options: ReloadOptions): Promise<ReloadResult> {
    const { ask } = this;
    checkKeys('the options of reload', options, ['tasks', 'drainMs']);
    const drainMs = options.drainMs ?? 1000;
    if (!(typeof drainMs === 'number' && drainMs >= 0 && drainMs <= 600_000)) {
      throw new FrameDeadlineError('OPTION_INVALID', `drainMs is ${describeValue(drainMs)}, expected 0 to 600000`);
    }
    const index = this.options.lanes.findIndex((candidate) => candidate.name === lane);
    if (index < 0) {
      const known = this.options.lanes.map((candidate) => candidate.name).join(', ');
      throw new FrameDeadlineError('LANE_UNKNOWN', `there is no lane ${describeValue(lane)}, expected one of ${known}`);
    }
    if (ask === null || this.options.hostHelps) {
      const where =
        ask === null ? 'handlers run in the calling thread' : 'hostHelps runs handlers in the calling thread';
      throw new FrameDeadlineError(
        'RELOAD_UNAVAILABLE',
        `${where}, which cannot import a module anew; create the scheduler on worker threads without hostHelps, or restart the program (in a page: reload it)`,
      );
    }
    const url = options.tasks === undefined ? null : urlOf(options.tasks);
    const waiting = url === null ? this.queued.get(index) : undefined;
    if (waiting !== undefined) return waiting;
    const startedMs = performance.now();
    const reloading = this.last.then(() => {
      if (this.queued.get(index) === reloading) this.queued.delete(index);
      return this.reloadNow(ask, index, url, drainMs, startedMs);
    });
    // one with a URL of its own may fail where the module in service would not
    if (url === null) this.queued.set(index, reloading);
    this.last = reloading.catch(() => {});
    return reloading;
  }

  private async reloadNow(
    ask: (request: ReloadRequest) => Promise<ReloadAnswer>,
    lane: number,
    url: string | null,
    drainMs: number,
    startedMs: number,
  ): Promise<ReloadResult> {
    const { lanes } = this.options;
    const workers = this.connected(lane);
    const served = [...new Set(workers.flatMap((worker) => this.workers[worker]!.lanes))].sort((a, b) => a - b);
    const urlNow = (of: number): string => (of === lane ? url : null) ?? this.urls.get(of) ?? lanes[of]!.tasks!;
    const urls = served.map((of) => ({ lane: of, url: pastCaches(urlNow(of)) }));
    const answer = await ask({ workers, urls, drainMs });
    if (!answer.ok) throw errorFromPlain(answer.error);
    if (url !== null) this.urls.set(lane, url);
    return {
      lane: lanes[lane]!.name,
      lanes: served.map((of) => lanes[of]!.name),
      workers: answer.workers.map((worker) => this.workers[worker]!.name),
      addedTasks: answer.addedTasks,
      ms: performance.now() - startedMs,
      loadMs: answer.loadMs,
      switchMs: answer.switchMs,
    };
  }

  /** The workers of the lane, of the lanes that these serve, and so on: what shares a lane must have the same code of it. */
  private connected(lane: number): number[] {
    const lanes = new Set([lane]);
    const workers = new Set<number>();
    for (let before = -1; before !== workers.size; ) {
      before = workers.size;
      this.workers.forEach((worker, index) => {
        if (!worker.lanes.some((of) => lanes.has(of))) return;
        workers.add(index);
        for (const of of worker.lanes) lanes.add(of);
      });
    }
    return [...workers].sort((a, b) => a - b);
  }
}

function urlOf(given: URL | string): string {
  try {
    return new URL(given).href;
  } catch {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `tasks is ${describeValue(given)}, expected a whole URL: new URL('./x.tasks.js', import.meta.url)`,
    );
  }
}

/** A new thread reads files anew; a browser may have what came over HTTP in its cache. */
function pastCaches(href: string): string {
  const url = new URL(href);
  if (url.protocol === 'http:' || url.protocol === 'https:') url.searchParams.set('t', Date.now().toString());
  return url.href;
}
