import { histogramCounts } from '../../../dist/telemetry/telemetry-data.js';
import { find, make, setText, shape } from './elements.js';
import { CAUSE_WORDS, countText, durationText } from './words.js';

/**
 * @typedef {import('frame-deadline').Telemetry} Telemetry
 * @typedef {import('frame-deadline').HistogramData} HistogramData
 * @typedef {import('frame-deadline').MissCause} MissCause
 */

/** Readings of a second each that the latencies are of. */
const READINGS = 5;
/** A browser has no signal for the first two: they stand last. */
const NOT_TOLD = ['preempted', 'gc'];

/** Lanes, causes, pauses and threads as tables and lists, brought up to date once a second. */
export class TelemetryView {
  /** @param {import('./demo.js').DemoScheduler} scheduler */
  constructor(scheduler) {
    this.scheduler = scheduler;
    this.window = scheduler.telemetryWindow();
    /** @type {Telemetry[]} */
    this.readings = [];
    /** @type {Map<string, HTMLElement[]>} */
    this.rows = new Map();
    /** @type {Map<MissCause, { item: HTMLElement, fill: HTMLElement, count: HTMLElement }>} */
    this.bars = new Map();
    const causes = /** @type {MissCause[]} */ (Object.keys(CAUSE_WORDS));
    for (const cause of [...causes].sort((a, b) => Number(NOT_TOLD.includes(a)) - Number(NOT_TOLD.includes(b)))) {
      this.addBar(cause);
    }
    this.showRefusals();
  }

  update() {
    this.readings.push(this.window.read());
    if (this.readings.length > READINGS) this.readings.shift();
    const total = this.scheduler.telemetry();
    const missedFrames = total.loops.reduce((sum, loop) => sum + loop.missedFrames + loop.droppedTicks, 0);
    const ticks = total.loops.reduce((sum, loop) => sum + loop.intendedTicks, 0);
    setText(find('missed'), `${countText(missedFrames)} of ${countText(ticks)}`);
    this.showLanes(total, missedFrames);
    this.showCauses(total);
    this.showPauses(total);
    this.showWorkers(total);
  }

  /** @param {Telemetry} total @param {number} missedFrames */
  showLanes(total, missedFrames) {
    const [first] = this.readings;
    const seconds = (total.toUs - (first?.fromUs ?? total.fromUs)) / 1e6;
    const frames = this.readings.flatMap(({ loops }) => loops.map(({ frameUs }) => frameUs));
    this.showLane('main', frames, seconds, total.loops.at(-1)?.deadlineUs ?? null, missedFrames);
    for (const lane of total.lanes) {
      const isPeriodic = lane.periodUs !== null;
      const ofLane = this.readings.flatMap(({ lanes }) => lanes.filter(({ name }) => name === lane.name));
      const responses = ofLane.flatMap(({ tasks }) => tasks.map(({ histograms }) => histograms.responseUs));
      const misses = lane.tasks.reduce((sum, task) => sum + task.misses, 0);
      const shown = isPeriodic ? lane.tasks.filter(({ accepted }) => accepted > 0) : lane.tasks;
      const deadlines = shown.map(({ deadlineUs }) => deadlineUs);
      this.showLane(lane.name, responses, seconds, deadlines.length === 0 ? null : Math.min(...deadlines), misses);
    }
  }

  /** @param {string} name @param {HistogramData[]} data @param {number} seconds @param {number | null} deadlineUs @param {number} misses */
  showLane(name, data, seconds, deadlineUs, misses) {
    const cells = this.rows.get(name) ?? this.addRow(name);
    const counts = histogramCounts(...data);
    const texts = [
      `${Math.round(counts.count / Math.max(0.1, seconds))}`,
      durationText(counts.quantileUs(0.5)),
      durationText(counts.quantileUs(0.99)),
      durationText(counts.quantileUs(1)),
      durationText(deadlineUs),
      countText(misses),
    ];
    for (const [n, cell] of cells.entries()) setText(cell, texts[n] ?? '');
    cells.at(-1)?.classList.toggle('bad', misses > 0);
    cells.at(-1)?.classList.toggle('good', misses === 0);
  }

  /** @param {string} name */
  addRow(name) {
    const classes = ['wide', '', '', '', 'wide', ''];
    const cells = classes.map((className) => make('td', className));
    const head = make('th', '', name);
    head.scope = 'row';
    find('lane-rows').append(make('tr', '', head, ...cells));
    this.rows.set(name, cells);
    return cells;
  }

  /** @param {MissCause} cause */
  addBar(cause) {
    const fill = make('div', 'fill');
    const count = make('span', 'count', '0');
    const item = make(
      'li',
      `c-${cause} zero`,
      shape(cause),
      make('span', '', CAUSE_WORDS[cause].short),
      make('div', 'track', fill),
      count,
    );
    if (NOT_TOLD.includes(cause)) {
      setText(count, 'not told');
      count.title = 'A browser gives no signal for this';
    }
    find('cause-bars').append(item);
    this.bars.set(cause, { item, fill, count });
  }

  /** @param {Telemetry} total */
  showCauses(total) {
    const sums = [...this.bars.keys()].map((cause) => {
      const ofLanes = total.lanes.flatMap(({ tasks }) => tasks).reduce((sum, task) => sum + task.missCauses[cause], 0);
      return total.loops.reduce((sum, loop) => sum + loop.droppedCauses[cause], ofLanes);
    });
    const most = Math.max(1, ...sums);
    for (const [n, [cause, { item, fill, count }]] of [...this.bars].entries()) {
      const sum = sums[n] ?? 0;
      item.classList.toggle('zero', sum === 0);
      // by logarithm: one flood must not flatten all the rest
      fill.style.width = `${(100 * Math.log1p(sum)) / Math.log1p(most)}%`;
      if (sum > 0 || !NOT_TOLD.includes(cause)) setText(count, countText(sum));
    }
  }

  /** @param {Telemetry} total */
  showPauses(total) {
    const count = total.loops.reduce((sum, { pauses }) => sum + (pauses?.count ?? 0), 0);
    const ms = total.loops.reduce((sum, { pauses }) => sum + (pauses?.totalMs ?? 0), 0);
    setText(
      find('pauses'),
      count === 0
        ? 'No pauses. Look at another tab for a while: a hidden page is a pause, not a flood of misses.'
        : `${countText(count)} ${count === 1 ? 'pause' : 'pauses'}, ${durationText(ms * 1000)} together: the page was hidden, or the computer slept. No misses.`,
    );
  }

  /** @param {Telemetry} total */
  showWorkers(total) {
    const rows = total.workers.map(({ name, state, jobs, running }) => {
      const does = state === 'serving' ? (running === null ? 'waiting' : `runs ${running.task}`) : state;
      return make('li', '', make('b', '', name), make('span', '', `${does}, ${countText(jobs)} jobs`));
    });
    find('worker-list').replaceChildren(...rows);
  }

  /** Which wishes a page is not granted, and why. */
  showRefusals() {
    const { mode, workers } = this.scheduler.describe();
    const reason = workers.find(({ thread }) => thread !== null)?.thread?.priority;
    const words =
      reason === undefined
        ? ''
        : `Priority ${reason.requested} asked for, ${reason.effective} in force: ${reason.reason ?? 'as asked'}.`;
    setText(find('refusals'), mode === 'inline' ? 'Inline: all lanes run in the page’s own thread.' : words);
  }
}
