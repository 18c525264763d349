// Telemetry as plain data, four times a second, to whoever wants it. No Electron in here: main and utility process use it.

const EVERY_MS = 250;
const MOST_MISSES = 32;

/** Reads the scheduler only while somebody is subscribed. */
export class TelemetryFeed {
  /**
   * @param {import('./lanes.js').Lanes['scheduler']} scheduler
   * @param {import('./telemetry-api.js').TelemetrySource} source
   */
  constructor(scheduler, source) {
    this.scheduler = scheduler;
    this.source = source;
    /** @type {Set<(update: import('./telemetry-api.js').TelemetryUpdate) => void>} */
    this.subscribers = new Set();
    /** @type {import('frame-deadline').Miss[]} */
    this.misses = [];
    /** @type {(() => void) | null} */
    this.stop = null;
  }

  /**
   * @param {(update: import('./telemetry-api.js').TelemetryUpdate) => void} send
   * @returns {() => void} ends it
   */
  subscribe(send) {
    this.subscribers.add(send);
    this.stop ??= this.start();
    return () => {
      if (!this.subscribers.delete(send) || this.subscribers.size > 0) return;
      this.close();
    };
  }

  close() {
    this.subscribers.clear();
    this.stop?.();
    this.stop = null;
  }

  start() {
    const stopMisses = this.scheduler.onMiss((miss) => {
      this.misses.push(miss);
      if (this.misses.length > MOST_MISSES) this.misses.shift();
    });
    const timer = setInterval(() => this.send(), EVERY_MS);
    return () => {
      clearInterval(timer);
      stopMisses();
      this.misses = [];
    };
  }

  send() {
    const update = {
      source: this.source,
      pid: process.pid,
      ended: null,
      snapshot: this.scheduler.snapshot(),
      misses: this.misses,
    };
    this.misses = [];
    for (const send of this.subscribers) send(update);
  }
}
