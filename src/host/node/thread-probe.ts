import { closeSync, openSync, readSync } from 'node:fs';
import { getHeapSpaceStatistics } from 'node:v8';
import type { ProbeReport } from '../../telemetry/telemetry-data.js';
import { NO_SIGNAL, type ProbeReports, SOME_COLLECTION, type ThreadProbe } from '../../worker/thread-probe.js';
import { type AddonLoad, loadAddon, type NativeAddon, USAGE_SYSTEM_US, USAGE_USER_US, USAGE_VALUES } from './addon.js';

/**
 * Of the calling thread, Documentation/scheduler/sched-stats.rst: time on a CPU (ns), time ready and not run (ns), times
 * it was run.
 */
const SCHEDSTAT = '/proc/thread-self/schedstat';
const SCHEDSTAT_BYTES = 96;
const DIGIT_0 = 48;

// doubles live in an array: written to a property each would be a new heap number
const NOW_RUN_DELAY_US = 0;
const NOW_CPU_US = 1;
const MARK_RUN_DELAY_US = 2;
const MARK_CPU_US = 3;
const DELTA_RUN_DELAY_US = 4;
const DELTA_CPU_US = 5;
const DELTA_GC_US = 6;
const VALUES = 7;

type ThreadCpuUsage = () => { user: number; system: number };

/**
 * The signals of this thread on Node.js. Linux: both times of schedstat; elsewhere CPU time by the addon, or by
 * `process.threadCpuUsage` where Node has it. Collections: that there was one is told by what the spaces of the heap hold
 * (less in the new one, or other than before in the old one); for how long nobody tells a thread without an event loop.
 * `v8.GCProfiler` would, but each one that was ever started goes on writing about every collection until it is collected
 * itself (measured on Node.js 20, 22 and 24).
 *
 * A running thread's schedstat says what its CPU time was at the last tick of the system's timer, and so does
 * getrusage(RUSAGE_THREAD). Asking for the whole process's CPU time brings the calling thread's up to date (Linux:
 * getrusage, thread_group_cputime, task_sched_runtime), so that is done first.
 */
export class NodeThreadProbe implements ThreadProbe {
  readonly reports: ProbeReports;
  private readonly values: Float64Array;
  /** Of the open file; -1: none. */
  private schedstat: number;
  private readonly text: Buffer;
  private readonly addon: NativeAddon | null;
  private readonly usage: Float64Array;
  private readonly threadCpuUsage: ThreadCpuUsage | null;
  private readonly watchesCollections: boolean;
  private newBytes: number;
  private oldBytes: number;

  constructor(load: AddonLoad = loadAddon(), watchesCollections = true) {
    this.values = new Float64Array(VALUES);
    this.text = Buffer.alloc(SCHEDSTAT_BYTES);
    this.usage = new Float64Array(USAGE_VALUES);
    const preempted = openSchedstat(this.text);
    this.schedstat = preempted.file;
    const cpu = preempted.file < 0 ? findCpuTime(load, this.usage) : NO_OTHER_CPU_TIME;
    this.addon = cpu.addon;
    this.threadCpuUsage = cpu.threadCpuUsage;
    this.watchesCollections = watchesCollections;
    this.newBytes = 0;
    this.oldBytes = 0;
    const gc = watchesCollections ? from('v8.getHeapSpaceStatistics') : without('not asked for');
    this.reports = { preempted: preempted.report, gc, onCpu: cpu.report };
    this.mark();
  }

  /** For a thread whose event loop runs, and whose collections others tell of. */
  static withoutCollections(): NodeThreadProbe {
    return new NodeThreadProbe(loadAddon(), false);
  }

  get preemptedUs(): number {
    return this.values[DELTA_RUN_DELAY_US]!;
  }
  get onCpuUs(): number {
    return this.values[DELTA_CPU_US]!;
  }
  get gcUs(): number {
    return this.values[DELTA_GC_US]!;
  }

  mark(): void {
    this.markTimes();
    if (this.watchesCollections) this.readHeap();
  }

  markTimes(): void {
    const { values } = this;
    this.readTimes();
    values[MARK_RUN_DELAY_US] = values[NOW_RUN_DELAY_US]!;
    values[MARK_CPU_US] = values[NOW_CPU_US]!;
  }

  read(): void {
    const { values } = this;
    this.readTimes();
    const runDelayUs = values[NOW_RUN_DELAY_US]!;
    const cpuUs = values[NOW_CPU_US]!;
    values[DELTA_RUN_DELAY_US] = grownBy(values[MARK_RUN_DELAY_US]!, runDelayUs);
    values[DELTA_CPU_US] = grownBy(values[MARK_CPU_US]!, cpuUs);
    values[DELTA_GC_US] = this.collectedUs();
    values[MARK_RUN_DELAY_US] = runDelayUs;
    values[MARK_CPU_US] = cpuUs;
  }

  /** Gives the open file back: it tells nothing more. A thread that ends needs no such call. */
  close(): void {
    if (this.schedstat >= 0) closeSync(this.schedstat);
    this.schedstat = -1;
  }

  private collectedUs(): number {
    if (!this.watchesCollections) return NO_SIGNAL;
    const { newBytes, oldBytes } = this;
    this.readHeap();
    return this.newBytes < newBytes || this.oldBytes !== oldBytes ? SOME_COLLECTION : 0;
  }

  private readHeap(): void {
    for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
      if (space_name === 'new_space') this.newBytes = space_used_size;
      else if (space_name === 'old_space') this.oldBytes = space_used_size;
    }
  }

  private readTimes(): void {
    const { values, text } = this;
    if (this.schedstat < 0) {
      values[NOW_RUN_DELAY_US] = NO_SIGNAL;
      values[NOW_CPU_US] = this.otherCpuUs();
      return;
    }
    let length = 0;
    try {
      process.cpuUsage(); // brings this thread's up to date
      length = readSync(this.schedstat, text, 0, SCHEDSTAT_BYTES, 0);
    } catch {
      // somebody closed a file that was not theirs
      values[NOW_RUN_DELAY_US] = NO_SIGNAL;
      values[NOW_CPU_US] = NO_SIGNAL;
      return;
    }
    let at = 0;
    let ns = 0;
    for (; at < length && text[at]! >= DIGIT_0; at++) ns = ns * 10 + (text[at]! - DIGIT_0);
    values[NOW_CPU_US] = ns / 1000;
    ns = 0;
    for (at++; at < length && text[at]! >= DIGIT_0; at++) ns = ns * 10 + (text[at]! - DIGIT_0);
    values[NOW_RUN_DELAY_US] = ns / 1000;
  }

  private otherCpuUs(): number {
    if (this.addon !== null) {
      this.addon.usage(this.usage);
      return this.usage[USAGE_USER_US]! + this.usage[USAGE_SYSTEM_US]!;
    }
    if (this.threadCpuUsage === null) return NO_SIGNAL;
    const { user, system } = this.threadCpuUsage();
    return user + system;
  }
}

function grownBy(beforeUs: number, nowUs: number): number {
  return beforeUs < 0 || nowUs < 0 ? NO_SIGNAL : nowUs - beforeUs;
}

const from = (source: string): ProbeReport => ({ source, reason: null });
const without = (reason: string): ProbeReport => ({ source: null, reason });

interface CpuTime {
  readonly addon: NativeAddon | null;
  readonly threadCpuUsage: ThreadCpuUsage | null;
  readonly report: ProbeReport;
}
const NO_OTHER_CPU_TIME: CpuTime = { addon: null, threadCpuUsage: null, report: from('schedstat') };

function openSchedstat(text: Buffer): { file: number; report: ProbeReport } {
  if (process.platform !== 'linux') {
    return { file: -1, report: without(`${process.platform} does not tell how long a thread was ready and not run`) };
  }
  let file = -1;
  try {
    file = openSync(SCHEDSTAT, 'r');
    const length = readSync(file, text, 0, SCHEDSTAT_BYTES, 0);
    // `0 0 0`: a kernel without CONFIG_SCHED_INFO, or one that plays Linux
    if (/^\d+ \d+ [1-9]/.test(text.toString('latin1', 0, length))) return { file, report: from('schedstat') };
    closeSync(file);
    return { file: -1, report: without(`${SCHEDSTAT} tells nothing: the kernel does not keep it`) };
  } catch (error) {
    if (file >= 0) closeSync(file);
    return { file: -1, report: without(`${SCHEDSTAT}: ${(error as NodeJS.ErrnoException).code}`) };
  }
}

function findCpuTime({ addon, reason }: AddonLoad, usage: Float64Array): CpuTime {
  if (addon !== null) {
    addon.usage(usage);
    if (!Number.isNaN(usage[USAGE_USER_US]!)) {
      return { addon, threadCpuUsage: null, report: from(`addon (${addon.platform})`) };
    }
  }
  const { threadCpuUsage } = process as { threadCpuUsage?: ThreadCpuUsage };
  if (threadCpuUsage !== undefined) return { addon: null, threadCpuUsage, report: from('process.threadCpuUsage') };
  const why = reason ?? 'the addon cannot tell it here';
  return { addon: null, threadCpuUsage: null, report: without(`${why}, and this Node.js has no threadCpuUsage`) };
}
