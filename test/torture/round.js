import { randomBytes } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { createScheduler } from 'frame-deadline';
import { Acts } from './acts.js';
import { codeOf, Ledger, Reports } from './ledger.js';
import { handleOf, memoryDump } from './memory-dump.js';
import { Streams } from './streams.js';

/** @typedef {import('./plan.js').Plan} Plan */
/** @typedef {import('./ledger.js').JobRecord} JobRecord */

/**
 * What is known of a round that is over: what the referee judges.
 * @typedef {object} Evidence
 * @property {readonly JobRecord[]} jobs
 * @property {Int32Array} starts
 * @property {Int32Array} ends
 * @property {Int32Array} startTickets
 * @property {Int32Array} endTickets
 * @property {Record<string, any>} lanes of the last snapshot
 * @property {Record<string, Int32Array>} periods handler runs by period, of periodic lanes
 * @property {number} deaths of workers, as `describe()` told last
 * @property {boolean} cut it was closed before all jobs had ended
 * @property {string[]} unexpected errors that nobody should see, and promises that did not settle
 */

const TASKS = new URL('./torture.tasks.js', import.meta.url);

/** How this process is asked to do what it cannot do to itself. @typedef {{ stop(ms: number): void, blocks(what: string): void }} Outside */

/** One round: a scheduler from its making to its end, and what happens to it. */
export class Round {
  /**
   * @param {Plan} plan
   * @param {Outside} outside
   * @param {(memory: { memory: object, tasks: string[] }) => void} onMemory told of the scheduler's memory
   */
  constructor(plan, outside, onMemory) {
    this.plan = plan;
    this.outside = outside;
    this.onMemory = onMemory;
    this.reports = new Reports();
    this.ledger = new Ledger();
    this.streams = new Streams();
    /** @type {Record<string, Int32Array>} */
    this.periods = {};
    this.controllers = Array.from({ length: plan.signals }, () => new AbortController());
    /** @type {Map<Promise<unknown>, string>} what has been asked for and is not settled */
    this.pending = new Map();
    /** @type {string[]} */
    this.unexpected = [];
    /** @type {any} */
    this.scheduler = null;
    this.closing = false;
    /** @type {Promise<void> | null} */
    this.beforeClose = null;
    this.deaths = 0;
    this.cut = false;
    this.doing = 'nothing';
    this.socketPath = join(tmpdir(), `fd-torture-${process.pid}-${randomBytes(4).toString('hex')}.sock`);
  }

  /** Runs it to its end. @returns {Promise<Evidence>} */
  async run() {
    const { plan, ledger } = this;
    this.doing = 'createScheduler';
    if (!(await this.start())) return this.evidence({});
    this.onMemory({ memory: handleOf(this.scheduler.core.memory), tasks: this.taskNames() });
    this.scheduler.onMiss(() => {});
    const acts = new Acts(this);
    const beganMs = performance.now();
    for (const action of plan.actions) {
      const leftMs = beganMs + action.atMs - performance.now();
      this.doing = `waiting for ${action.kind}`;
      await sleep(Math.max(0, leftMs));
      this.doing = action.kind;
      acts.act(action);
      this.streams.read();
    }
    this.doing = 'closing';
    await this.close(plan.drainMs);
    // what was asked for has its answer now; nothing is left to wait for
    this.doing = 'waiting for answers';
    while (this.pending.size > 0) await Promise.allSettled(this.pending.keys());
    await acts.end();
    ledger.finish();
    this.streams.read();
    this.unexpected.push(...this.streams.faults);
    this.listenersLeft();
    return this.evidence(this.scheduler.snapshot().lanes);
  }

  /** Makes the scheduler; false where that failed as the plan wanted. */
  async start() {
    const { startFault } = this.plan;
    const controller = new AbortController();
    const faults = new BroadcastChannel('torture');
    const timer = setTimeout(() => {
      if (startFault?.kind === 'abort') controller.abort();
      else if (startFault !== null) faults.postMessage({ terminate: startFault.nth });
    }, startFault?.atMs);
    try {
      this.scheduler = await createScheduler({ ...this.options(), signal: controller.signal });
      // aborted so late that it was made, and closes
      this.closing = controller.signal.aborted;
      this.cut = this.closing;
      return true;
    } catch (error) {
      const allowed = startFault?.kind === 'abort' ? 'SCHEDULER_CLOSED' : 'WORKER_DIED';
      if (startFault === null || codeOf(error) !== allowed) throw error;
      return false;
    } finally {
      clearTimeout(timer);
      faults.close();
      const left = getEventListeners(controller.signal, 'abort').length;
      if (this.scheduler === null && left > 0)
        this.unexpected.push(`${left} listeners are left on the signal of a scheduler`);
    }
  }

  /** @returns {Evidence} */
  evidence(/** @type {Record<string, any>} */ lanes) {
    const { starts, ends, startTickets, endTickets } = this.reports;
    return {
      jobs: this.ledger.records,
      starts,
      ends,
      startTickets,
      endTickets,
      lanes,
      periods: this.scheduler === null ? {} : this.periods,
      deaths: this.deaths,
      cut: this.cut,
      unexpected: this.unexpected,
    };
  }

  async close(/** @type {number} */ drainMs) {
    this.beforeClose ??= this.lastLook();
    await this.beforeClose;
    this.cut ||= this.lanes().some(({ inFlight }) => inFlight > 0);
    await this.scheduler.close({ drainMs });
  }

  /** How the workers were before the close: nobody tells afterwards. */
  async lastLook() {
    this.closing = true;
    const isLost = this.lanes().some(({ outcomes }) => outcomes.lost > 0);
    await this.refresh();
    // a job is lost before the death of its worker is counted, on a busy machine long before
    for (let n = 0; isLost && this.deaths === 0 && n < 50; n++) {
      await sleep(100);
      await this.refresh();
    }
  }

  /** @returns {any[]} */
  lanes() {
    return Object.values(this.scheduler.snapshot().lanes);
  }

  async refresh() {
    const described = await this.scheduler.refresh();
    this.deaths = described.workers.reduce(
      (/** @type {number} */ sum, /** @type {{ deaths: number }} */ worker) => sum + worker.deaths,
      0,
    );
    return described;
  }

  /** Waits for it at the end of the round, and keeps what it rejects with unless that was to be expected. */
  expect(
    /** @type {string} */ what,
    /** @type {Promise<unknown>} */ promise,
    /** @type {readonly string[]} */ allowed = [],
  ) {
    const settled = promise.then(
      () => {},
      (error) => this.threw(what, error, allowed),
    );
    this.pending.set(settled, what);
    void settled.finally(() => this.pending.delete(settled));
  }

  threw(/** @type {string} */ what, /** @type {any} */ error, /** @type {readonly string[]} */ allowed) {
    if (allowed.includes(error?.code)) return;
    if (error?.code === 'SCHEDULER_CLOSED' && this.closing) return;
    this.unexpected.push(`${what}: ${error?.stack ?? error}`);
  }

  /** By index. @returns {string[]} */
  taskNames() {
    const { tasks, lanes } = this.scheduler.parts.plan;
    return tasks.map((/** @type {any} */ task) => `${lanes[task.lane].name}.${task.name}`);
  }

  /** In words, for whoever finds that nothing goes on. */
  dump() {
    const lines = [`doing: ${this.doing}`, `pending: ${[...this.pending.values()].join('; ') || 'nothing'}`];
    const open = [...this.ledger.openFrames].flatMap(({ jobs }) => jobs);
    const live = [...open, ...this.ledger.singles].filter(({ job }) => attempt(() => !job.ended) === true);
    lines.push(`live jobs: ${live.map(({ record: { id, lane, task } }) => `${id} ${lane}.${task}`).join(', ')}`);
    if (this.scheduler !== null) {
      lines.push(String(attempt(() => memoryDump(this.scheduler.core.memory, this.taskNames()))));
      lines.push(String(attempt(() => String(this.scheduler.describe()))));
      lines.push(String(attempt(() => JSON.stringify(this.scheduler.snapshot(), compact, 1))));
    }
    return lines.join('\n');
  }

  listenersLeft() {
    const { controllers } = this;
    controllers.forEach(({ signal }, i) => {
      const left = getEventListeners(signal, 'abort').length;
      if (left > 0) this.unexpected.push(`${left} listeners are left on signal ${i}`);
    });
  }

  /** As `createScheduler` takes them. @returns {any} */
  options() {
    const { options } = this.plan;
    const { framesInFlight, development, hostHelps, hangMs, spares, traceJobs, limited } = options;
    const lanes = Object.fromEntries(
      options.lanes.map((lane) => {
        const shared = this.reports.shared();
        const { periodic, onExpired, transfer, eventLoop, admission } = lane;
        if (periodic !== null) this.periods[lane.name] = shared.periods;
        const stream = lane.streams ? this.streams.add(lane.name) : {};
        return [
          lane.name,
          {
            tasks: TASKS,
            ...(hostHelps ? { load: () => import('./torture.tasks.js') } : {}),
            deadlineMs: lane.deadlineMs,
            ...(onExpired === null ? {} : { onExpired }),
            onFull: lane.onFull,
            admission,
            ...(admission === 'off' ? {} : { importance: lane.importance }),
            capacitySlots: lane.capacitySlots,
            ...(periodic === null ? {} : { periodic: { task: 'tick', everyMs: periodic.everyMs } }),
            shared: { ...shared, ...stream, ticking: periodic ?? { every: 0 } },
            ...(transfer === null ? {} : { transfer: () => ({ given: new ArrayBuffer(64) }) }),
            ...(eventLoop === null ? {} : { eventLoop }),
          },
        ];
      }),
    );
    const resourceLimits = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 };
    const workers = options.workers?.map((group) => (limited ? { ...group, resourceLimits } : group));
    return {
      lanes,
      ...(workers === undefined ? {} : { workers }),
      framesInFlight,
      development,
      hostHelps,
      hangMs: hangMs ?? Number.POSITIVE_INFINITY,
      ...(spares === null ? {} : { spares }),
      trace: { jobsPerThread: traceJobs },
      readyTimeoutMs: 30_000,
    };
  }
}

const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));

function attempt(/** @type {() => unknown} */ act) {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

/** Leaves out what is zero. */
const compact = (/** @type {string} */ _key, /** @type {unknown} */ value) => (value === 0 ? undefined : value);
