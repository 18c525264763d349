import { createConnection } from 'node:net';
import { BroadcastChannel } from 'node:worker_threads';
import { read } from './ledger.js';

/** @typedef {import('./plan.js').Action} Action */
/** @typedef {import('./plan.js').PlannedJob} PlannedJob */
/** @typedef {import('./ledger.js').OpenFrame} OpenFrame */
/** @typedef {import('./ledger.js').JobRecord} JobRecord */

const OTHER_MODULES = {
  same: null,
  other: new URL('./torture.tasks.js?other', import.meta.url),
  throws: new URL('./throws.tasks.js', import.meta.url),
  exits: new URL('./exits.tasks.js', import.meta.url),
  missing: new URL('./nowhere.tasks.js', import.meta.url),
};

/** What may become of a reload, whatever the plan wants. */
const RELOAD_CODES = ['WORKER_DIED', 'RELOAD_UNAVAILABLE'];
const RELOAD_CODES_OF = {
  same: [],
  other: [],
  throws: ['TASK_MODULE_FAILED'],
  exits: ['WORKER_DIED'],
  missing: ['TASK_MODULE_NOT_FOUND'],
};

/** Does what a plan says, one action at a time; what it begins may go on when the next one comes. */
export class Acts {
  /** @param {import('./round.js').Round} round */
  constructor(round) {
    this.round = round;
    this.scheduler = round.scheduler;
    this.ledger = round.ledger;
    this.faults = new BroadcastChannel('torture');
    this.faults.unref();
    this.framesInFlight = 0;
    this.isServing = false;
    /** @type {Set<import('node:net').Socket>} */
    this.clients = new Set();
  }

  async end() {
    this.faults.close();
    for (const client of this.clients) client.destroy();
  }

  act(/** @type {Action} */ action) {
    const { round } = this;
    try {
      this.begin(action);
    } catch (error) {
      round.threw(action.kind, error, []);
    }
  }

  begin(/** @type {Action} */ action) {
    const { round } = this;
    switch (action.kind) {
      case 'frame':
        return this.frame(action);
      case 'singles':
        return this.singles(action);
      case 'loop':
        return round.expect('loop', this.loop(action));
      case 'abort':
        return round.controllers[action.signal]?.abort();
      case 'stallMain':
        return stall(action.ms);
      case 'stallSupervisor':
        return this.faults.postMessage({ stallMs: action.ms });
      case 'terminate':
        return this.faults.postMessage({ terminate: action.nth });
      case 'stop':
        return round.outside.stop(action.ms);
      case 'reload':
        return this.reload(action);
      case 'look':
        return this.look();
      case 'serve':
        return round.expect('serveTelemetry', this.serve(action.clients));
      case 'collect':
        return void (/** @type {any} */ (globalThis).gc?.());
      case 'close':
        return round.expect('close', round.close(action.drainMs));
    }
  }

  frame(/** @type {Extract<Action, { kind: 'frame' }>} */ { deadlineMs, stages, join, signal, joinSignal }) {
    const { round, ledger, scheduler } = this;
    ledger.sweep();
    const options = { deadlineMs, ...this.signalOf(signal) };
    const frame = scheduler.beginFrame(options);
    const open = ledger.opened(frame);
    this.fill(frame, open, stages);
    const joined = this.join(frame, open, join, this.signalOf(joinSignal));
    if (joined !== null) round.expect(`join of a frame (${join})`, joined);
  }

  fill(/** @type {any} */ frame, /** @type {OpenFrame} */ open, /** @type {PlannedJob[][]} */ stages) {
    const { ledger, scheduler } = this;
    const number = ledger.frames++;
    stages.forEach((jobs, stage) => {
      if (stage > 0) frame.barrier();
      for (const planned of jobs) {
        open.jobs.push(
          ledger.submit(scheduler.lanes, planned, (task, input) => frame.submit(task, input), number, stage),
        );
      }
    });
    open.isFilled = true;
  }

  /** Ends the frame as it says; a promise where that takes its time. @returns {Promise<void> | null} */
  join(/** @type {any} */ frame, /** @type {OpenFrame} */ open, /** @type {string} */ how, options = {}) {
    const { round, ledger } = this;
    const over = (/** @type {boolean} */ isOver) => {
      if (isOver) ledger.closeFrame(open);
    };
    switch (how) {
      case 'sync':
      case 'syncDeadline':
      case 'help':
        round.outside.blocks(`joinSync (${how})`);
        over(frame.joinSync({ until: how === 'syncDeadline' ? 'deadline' : 'finished', help: how === 'help' }));
        round.outside.blocks('');
        return null;
      case 'poll':
        over(frame.poll());
        return null;
      case 'cancel':
        frame.cancel();
        return null;
      default:
        return frame.join({ until: how, ...options }).then(over);
    }
  }

  singles(/** @type {Extract<Action, { kind: 'singles' }>} */ { jobs, keep, signal }) {
    const { round, ledger, scheduler } = this;
    for (const planned of jobs) {
      const options = {
        ...(planned.deadlineMs === null ? {} : { deadlineMs: planned.deadlineMs }),
        ...this.signalOf(signal),
      };
      const submitted = ledger.submit(scheduler.lanes, planned, (task, input) =>
        scheduler.submit(task, input, options),
      );
      const { job, record } = submitted;
      if (record.refused !== false) continue;
      if (keep === 'await') {
        const ended = job.done.then(() => {
          read(job, record);
          job.release();
        });
        round.expect(`done of job ${record.id} ${record.lane}.${record.task}`, ended);
        continue;
      }
      ledger.singles.push(submitted);
      if (keep === 'release') job.release();
      else if (keep === 'cancel') job.cancel();
    }
  }

  async loop(/** @type {Extract<Action, { kind: 'loop' }>} */ { hz, deadlineMs, ticks, join, signal }) {
    const { ledger, scheduler } = this;
    const own = new AbortController();
    const given = this.signalOf(signal).signal;
    let next = 0;
    await scheduler.loop(
      {
        hz,
        ...(deadlineMs === null ? {} : { deadlineMs }),
        signal: given === undefined ? own.signal : AbortSignal.any([own.signal, given]),
      },
      async (/** @type {any} */ frame) => {
        const open = ledger.opened(frame);
        ledger.sweep();
        const stages = ticks[next++];
        if (stages === undefined) own.abort();
        else {
          this.fill(frame, open, stages);
          await this.join(frame, open, join);
        }
      },
    );
  }

  reload(/** @type {Extract<Action, { kind: 'reload' }>} */ { lane, drainMs, module }) {
    const { round, scheduler } = this;
    const tasks = OTHER_MODULES[module];
    const reloading = scheduler.reload(lane, { drainMs, ...(tasks === null ? {} : { tasks }) });
    round.expect(`reload (${module})`, reloading, [...RELOAD_CODES, ...RELOAD_CODES_OF[module]]);
  }

  /** Reads all that there is to read. */
  look() {
    const { round, scheduler } = this;
    const snapshot = scheduler.snapshot();
    for (const [name, lane] of Object.entries(snapshot.lanes)) {
      const { submitted, accepted, refused } = /** @type {any} */ (lane);
      if (!(submitted >= 0 && accepted >= 0 && refused >= 0)) round.unexpected.push(`counts of lane ${name} below 0`);
    }
    String(scheduler.describe());
    scheduler.jobTrace();
    scheduler.recentMisses();
    const window = scheduler.telemetryWindow();
    window.read();
    if (!round.closing) round.expect('refresh', round.refresh());
  }

  async serve(/** @type {number} */ clients) {
    const { scheduler, round } = this;
    if (this.isServing) return;
    this.isServing = true;
    const served = await scheduler.serveTelemetry({ path: round.socketPath });
    for (let i = 0; i < clients; i++) {
      const client = createConnection(served.path);
      this.clients.add(client);
      client.on('data', () => {});
      client.on('error', () => {});
      client.on('close', () => this.clients.delete(client));
      // some go at once
      if (i % 2 === 1) client.destroy();
    }
  }

  /** @returns {{ signal?: AbortSignal }} */
  signalOf(/** @type {number | null} */ index) {
    const controller = index === null ? undefined : this.round.controllers[index];
    return controller === undefined ? {} : { signal: controller.signal };
  }
}

function stall(/** @type {number} */ ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
