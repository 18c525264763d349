import type { FrameSample } from './probe-memory.js';

/** Upper quantiles by nearest rank, in microseconds; null where nothing ran. */
export interface Quantiles {
  p50: number | null;
  p90: number | null;
  p99: number | null;
  max: number | null;
}

/** One level, alone or beside the hogs. */
export interface PhaseResult {
  frames: number;
  /** Frames whose work did not end within the period, those that were never begun included. */
  missedFrames: number;
  missedPercent: number;
  /** From the release to the start of the work. */
  wakeupUs: Quantiles;
  /** From the release to the end of the work. */
  responseUs: Quantiles;
}

/** @param frames frames that were due; those without a sample never ran */
export function summarizePhase(frames: number, samples: readonly FrameSample[], deadlineUs: number): PhaseResult {
  const onTime = samples.filter((sample) => sample.responseUs <= deadlineUs).length;
  const missedFrames = Math.max(0, frames - onTime);
  return {
    frames,
    missedFrames,
    missedPercent: frames === 0 ? 0 : Math.round((missedFrames / frames) * 10_000) / 100,
    wakeupUs: quantilesOf(samples.map((sample) => sample.wakeupUs)),
    responseUs: quantilesOf(samples.map((sample) => sample.responseUs)),
  };
}

export function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (share: number): number | null => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
  return { p50: rank(0.5), p90: rank(0.9), p99: rank(0.99), max: rank(1) };
}
