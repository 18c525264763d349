import { readCounter } from '../telemetry/counters.js';
import { HistogramReader } from '../telemetry/histogram-reader.js';
import {
  LOOP_BY_DISPLAY,
  LOOP_COUNT_DROPPED,
  LOOP_COUNT_FRAMES,
  LOOP_COUNT_MISSED_FRAMES,
  LOOP_DEADLINE_US,
  LOOP_HISTOGRAMS,
  LOOP_ID,
  LOOP_MILLIHERTZ,
  LOOP_PAUSED_MS,
  LOOP_PAUSES,
  LOOP_ROWS,
  LOOP_RUNNING,
  LOOP_SHOWS_NOTHING,
  type LoopHistogram,
  loopCounterAt,
  loopHistogramAt,
} from '../telemetry/loop-row.js';
import { MISS_CAUSES } from '../telemetry/outcomes.js';
import { type HistogramData, histogramData, type LoopTelemetry } from '../telemetry/telemetry-data.js';
import type { AttachedMemory } from '../worker/attached-memory.js';
import { zeros } from './task-reader.js';

/** Behind the counters of the row. */
const PAUSES = LOOP_COUNT_DROPPED + MISS_CAUSES.length;
const PAUSED_MS = PAUSES + 1;
const COUNTERS = PAUSED_MS + 1;

interface Row {
  readonly id: number;
  readonly histograms: readonly HistogramReader[];
  readonly before: Float64Array;
}

/** Reads the telemetry of the host's loops. A row that gets another loop while it is read is left out this time. */
export class LoopReader {
  private readonly memory: AttachedMemory;
  private readonly rows: (Row | null)[];

  constructor(memory: AttachedMemory) {
    this.memory = memory;
    this.rows = new Array<Row | null>(LOOP_ROWS).fill(null);
  }

  /** The loops in the order in which they began. @param window since the last such reading, those in which nothing happened left out; else since each began */
  read(window: boolean): LoopTelemetry[] {
    const loops: LoopTelemetry[] = [];
    for (let row = 0; row < LOOP_ROWS; row++) {
      const loop = this.readRow(row, window);
      if (loop !== null && !(window && !loop.running && loop.intendedTicks === 0)) loops.push(loop);
    }
    return loops.sort((a, b) => a.id - b.id);
  }

  private readRow(index: number, window: boolean): LoopTelemetry | null {
    const { telemetry, telemetryLayout } = this.memory;
    const base = telemetryLayout.loopRow(index);
    const id = Atomics.load(telemetry, base + LOOP_ID) - 1; // acquire
    if (id < 0) return null;
    let row = this.rows[index]!;
    if (row === null || row.id !== id) {
      row = {
        id,
        histograms: LOOP_HISTOGRAMS.map(
          (_, histogram) => new HistogramReader([{ words: telemetry, base: loopHistogramAt(base, histogram) }]),
        ),
        before: new Float64Array(COUNTERS),
      };
    }
    const counts = new Float64Array(COUNTERS);
    for (let counter = 0; counter < PAUSES; counter++) {
      counts[counter] = readCounter(telemetry, loopCounterAt(base, counter));
    }
    counts[PAUSES] = Atomics.load(telemetry, base + LOOP_PAUSES);
    counts[PAUSED_MS] = Atomics.load(telemetry, base + LOOP_PAUSED_MS);
    const showsNothing = Atomics.load(telemetry, base + LOOP_SHOWS_NOTHING) === 1;
    const byDisplay = Atomics.load(telemetry, base + LOOP_BY_DISPLAY) === 1;
    const histograms = {} as Record<LoopHistogram, HistogramData>;
    LOOP_HISTOGRAMS.forEach((name, i) => {
      const reader = row.histograms[i]!;
      histograms[name] = histogramData(window ? reader.window() : reader.total());
    });
    const hz = Atomics.load(telemetry, base + LOOP_MILLIHERTZ) / 1000;
    const deadlineUs = Atomics.load(telemetry, base + LOOP_DEADLINE_US);
    const running = Atomics.load(telemetry, base + LOOP_RUNNING) === 1;
    const idAfter = Atomics.load(telemetry, base + LOOP_ID) - 1;
    if (idAfter !== id) return null;
    this.rows[index] = row;
    const droppedCauses = zeros(MISS_CAUSES);
    let droppedTicks = 0;
    const since = (counter: number): number => counts[counter]! - (window ? row.before[counter]! : 0);
    MISS_CAUSES.forEach((cause, i) => {
      droppedCauses[cause] = since(LOOP_COUNT_DROPPED + i);
      droppedTicks += droppedCauses[cause];
    });
    const frames = since(LOOP_COUNT_FRAMES);
    const missedFrames = since(LOOP_COUNT_MISSED_FRAMES);
    const now = running && showsNothing ? ('hidden' as const) : null;
    const hasPaused = counts[PAUSES]! > 0;
    const pauses = { count: since(PAUSES), totalMs: since(PAUSED_MS), now };
    if (window) row.before.set(counts);
    return {
      id,
      hz,
      deadlineUs,
      running,
      intendedTicks: frames + droppedTicks,
      droppedTicks,
      frames,
      missedFrames,
      droppedCauses,
      ...histograms,
      ...(byDisplay || hasPaused ? { pauses } : {}),
    };
  }
}
