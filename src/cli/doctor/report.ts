import type { Priority, ThreadReport } from '../../host/thread-control.js';
import { type Finding, findingsOf } from './advice/findings.js';
import { adviseLevel } from './advice/level-advice.js';
import type { Happened, MachineFacts } from './machine/facts.js';
import { isGranted, type Measurement } from './measure/measure.js';
import type { PhaseResult } from './measure/phase.js';
import { PERIOD_MS, WORK_MS } from './measure/probe.tasks.js';
import { LEVELS } from './measure/probe-memory.js';
import { overallVerdict, type Verdict, verdictOf } from './measure/verdict.js';

export interface LevelReport {
  level: Priority;
  verdict: Verdict;
  /** What the operating system made of the request; null if the worker did not come up. */
  thread: ThreadReport | null;
  /** How to get it where it was refused: all of these steps, each with its alternatives, best first. */
  howToGet: string[][];
  withoutLoad: PhaseResult | null;
  withLoad: PhaseResult | null;
}

/** What `--json` prints. Semantic versioning covers it. */
export interface DoctorReport {
  schemaVersion: 1;
  /** Whether it was ended before its time. */
  interrupted: boolean;
  durationS: number;
  machine: Record<string, unknown>;
  conditions: { workMs: number; periodMs: number; cpuHogs: number; busyBeforePercent: number | null };
  happened: Happened;
  levels: LevelReport[];
  findings: Finding[];
  /** The level to use, or null where nothing was measured. */
  verdict: { level: Priority | null; text: string };
}

export function makeReport(
  facts: MachineFacts,
  measurement: Measurement,
  happened: Happened,
  durationS: number,
  interrupted: boolean,
): DoctorReport {
  const { hogs, busyBeforePercent, failure } = measurement;
  const levels = measurement.levels.map(({ thread, withoutLoad, withLoad }, index): LevelReport => {
    const level = LEVELS[index]!;
    const granted = isGranted(thread);
    const isUnknown = thread === null;
    return {
      level,
      verdict: isUnknown ? 'unmeasured' : verdictOf(granted, withoutLoad, withLoad),
      thread,
      howToGet: granted || isUnknown ? [] : adviseLevel(level, thread.priority.reason, facts),
      withoutLoad,
      withLoad,
    };
  });
  const threads = levels.map((level) => level.thread);
  const verdict = overallVerdict(levels);
  return {
    schemaVersion: 1,
    interrupted,
    durationS: Math.round(durationS * 10) / 10,
    machine: plain(facts),
    conditions: { workMs: WORK_MS, periodMs: Math.round(PERIOD_MS * 1000) / 1000, cpuHogs: hogs, busyBeforePercent },
    happened,
    levels,
    findings: findingsOf(facts, { threads, happened, busyBeforePercent, hogs }),
    verdict: failure === null ? verdict : { level: null, text: `Nothing could be measured: ${failure}` },
  };
}

/** As JSON has it: no limit is null, for Infinity has no form there. */
function plain(facts: MachineFacts): Record<string, unknown> {
  return JSON.parse(JSON.stringify(facts)) as Record<string, unknown>;
}
