import { HOST_COLUMN, SUPERVISOR_COLUMN } from '../memory/layout.js';
import { addToCounter, COUNTER_WORDS, increment, redoIncrement, valueAfterIncrement } from './counters.js';
import { FRAME_RECORD_CAPACITY, FRAME_RECORD_WORDS } from './frame-record.js';
import { DEFAULT_TRACE_JOBS, jobTraceWords } from './job-trace.js';
import { LOOP_ROW_WORDS, LOOP_ROWS } from './loop-row.js';
import { MISS_CAPACITY, MISS_RECORD_WORDS } from './miss-record.js';
import { COUNTERS_WORDS } from './outcomes.js';
import { recordRingWords } from './record-ring.js';
import { HISTOGRAM_WORDS, recordUs } from './shared-histogram.js';

/** Histograms of one task on one thread, in this order. All in microseconds. */
export const HISTOGRAMS = ['wakeupUs', 'queueingUs', 'executionUs', 'responseUs', 'tardinessUs'] as const;
export type HistogramName = (typeof HISTOGRAMS)[number];
export const HISTOGRAM_WAKEUP = 0;
export const HISTOGRAM_QUEUEING = 1;
export const HISTOGRAM_EXECUTION = 2;
export const HISTOGRAM_RESPONSE = 3;
export const HISTOGRAM_TARDINESS = 4;

/** Where each thread's telemetry of each task lies in the telemetry region. Rows: the workers, the host, the supervisor. */
export class TelemetryLayout {
  readonly taskCount: number;
  readonly workerCount: number;
  readonly words: number;
  private readonly taskWords: number;
  private readonly missBase: number;
  private readonly missWords: number;
  private readonly frameBase: number;
  private readonly loopBase: number;
  /** Jobs that the trace keeps per thread. */
  readonly traceJobs: number;
  private readonly traceBase: number;
  private readonly traceWords: number;
  constructor(taskCount: number, workerCount: number, traceJobs: number = DEFAULT_TRACE_JOBS) {
    this.taskCount = taskCount;
    this.workerCount = workerCount;
    this.taskWords = COUNTERS_WORDS + HISTOGRAMS.length * HISTOGRAM_WORDS;
    this.missBase = (workerCount + 2) * taskCount * this.taskWords;
    this.missWords = Math.ceil(recordRingWords(MISS_CAPACITY, MISS_RECORD_WORDS) / 32) * 32;
    this.frameBase = this.missBase + (workerCount + 2) * this.missWords;
    this.loopBase = this.frameBase + Math.ceil(recordRingWords(FRAME_RECORD_CAPACITY, FRAME_RECORD_WORDS) / 32) * 32;
    this.traceJobs = traceJobs;
    this.traceBase = this.loopBase + LOOP_ROWS * LOOP_ROW_WORDS;
    this.traceWords = Math.ceil(jobTraceWords(traceJobs) / 32) * 32;
    this.words = this.traceBase + (workerCount + 2) * this.traceWords;
  }
  get rowCount(): number {
    return this.workerCount + 2;
  }
  /** Row of a column of the frame tables (worker index, HOST_COLUMN or SUPERVISOR_COLUMN). */
  rowOf(column: number): number {
    if (column === HOST_COLUMN) return this.workerCount;
    return column === SUPERVISOR_COLUMN ? this.workerCount + 1 : column;
  }
  counters(row: number, task: number): number {
    return (row * this.taskCount + task) * this.taskWords;
  }
  histogram(row: number, task: number, histogram: number): number {
    return (row * this.taskCount + task) * this.taskWords + COUNTERS_WORDS + histogram * HISTOGRAM_WORDS;
  }
  missRing(row: number): number {
    return this.missBase + row * this.missWords;
  }
  /** Trace of the jobs that the row's thread ended. */
  jobTrace(row: number): number {
    return this.traceBase + row * this.traceWords;
  }
  /** Ring of the host's frames. */
  get frameRing(): number {
    return this.frameBase;
  }
  /** Row of a loop of the host, 0 to LOOP_ROWS - 1. */
  loopRow(row: number): number {
    return this.loopBase + row * LOOP_ROW_WORDS;
  }
}

/** Writes one thread's telemetry. That thread only; never allocates, blocks or throws. */
export class Recorder {
  readonly words: Int32Array<SharedArrayBuffer>;
  private readonly layout: TelemetryLayout;
  private readonly row: number;
  constructor(words: Int32Array<SharedArrayBuffer>, layout: TelemetryLayout, column: number) {
    this.words = words;
    this.layout = layout;
    this.row = layout.rowOf(column);
  }
  count(task: number, counter: number): void {
    increment(this.words, this.layout.counters(this.row, task) + counter * COUNTER_WORDS);
  }
  countMany(task: number, counter: number, amount: number): void {
    addToCounter(this.words, this.layout.counters(this.row, task) + counter * COUNTER_WORDS, amount);
  }
  /** Value that the counter's low word will have after the next `count`: what a slot announces before it is done. */
  valueAfterCount(task: number, counter: number): number {
    return valueAfterIncrement(this.words, this.layout.counters(this.row, task) + counter * COUNTER_WORDS);
  }
  /** Makes a dead writer's announced count, unless it was made. Supervisor. */
  redoCount(task: number, counter: number, announced: number): boolean {
    return redoIncrement(this.words, this.layout.counters(this.row, task) + counter * COUNTER_WORDS, announced);
  }
  record(task: number, histogram: number, us: number): void {
    recordUs(this.words, this.layout.histogram(this.row, task, histogram), us);
  }
  /** First word of a histogram, for reading one's own estimates. */
  histogramBase(task: number, histogram: number): number {
    return this.layout.histogram(this.row, task, histogram);
  }
}
