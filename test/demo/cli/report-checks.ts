import { expect } from 'vitest';
import type { DemoReport } from '../../../src/cli/demo/report/report.js';

const LATENCY = ['count', 'max', 'p50', 'p90', 'p99', 'p999'];
const LANE = [
  'accepted',
  'deadlineMs',
  'executionUs',
  'inFlight',
  'missCauses',
  'misses',
  'outcomes',
  'queueingUs',
  'refused',
  'responseUs',
  'submitted',
  'tardinessUs',
  'wakeupUs',
];
const OUTCOMES = ['cancelled', 'expired', 'failed', 'late', 'lost', 'onTime'];
const CAUSES = [
  'crashed',
  'gc',
  'hung',
  'lateSubmit',
  'overrun',
  'preempted',
  'shed',
  'unknown',
  'waitingBehind',
  'wakeup',
];

const keys = (value: object): string[] => Object.keys(value).sort();
const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** Checks the keys of a report and that its counts add up; returns it. */
export function checkReport(text: string): DemoReport {
  const report = JSON.parse(text) as DemoReport;
  expect(keys(report)).toEqual(
    [
      'audio',
      'durationS',
      'environment',
      'files',
      'frames',
      'input',
      'interrupted',
      'lanes',
      'schemaVersion',
      'workers',
    ].sort(),
  );
  expect(report.schemaVersion).toBe(1);
  expect(keys(report.lanes)).toEqual(['audio', 'input', 'render']);
  for (const lane of Object.values(report.lanes)) {
    expect(keys(lane)).toEqual(LANE);
    expect(keys(lane.outcomes)).toEqual(OUTCOMES);
    expect(keys(lane.missCauses)).toEqual(CAUSES);
    expect(lane.submitted).toBe(lane.accepted + lane.refused);
    expect(lane.accepted).toBe(sum(lane.outcomes) + lane.inFlight);
    expect(lane.misses).toBe(sum(lane.missCauses));
    expect(lane.misses).toBeGreaterThanOrEqual(lane.outcomes.late + lane.outcomes.expired);
    expect(lane.deadlineMs).toBeGreaterThan(0);
    for (const name of ['wakeupUs', 'queueingUs', 'executionUs', 'responseUs', 'tardinessUs'] as const) {
      checkLatency(lane[name]);
    }
  }
  const { frames, audio, input } = report;
  expect(keys(frames)).toEqual(['droppedTicks', 'intended', 'missed', 'rendered']);
  expect(frames.intended).toBe(frames.rendered + frames.droppedTicks);
  expect(frames.missed).toBeGreaterThanOrEqual(frames.droppedTicks);
  expect(frames.missed).toBeLessThanOrEqual(frames.intended);
  expect(keys(audio)).toEqual([
    'blocks',
    'bufferBlocks',
    'channels',
    'file',
    'identicalToOffline',
    'sampleRateHz',
    'xruns',
  ]);
  expect(keys(input)).toEqual(['applied', 'events', 'latencyUs']);
  expect(input.applied).toBeLessThanOrEqual(input.events);
  checkLatency(input.latencyUs);
  expect(input.latencyUs.count).toBeLessThanOrEqual(input.applied);
  for (const worker of report.workers) {
    expect(keys(worker)).toEqual(['cpus', 'lanes', 'name', 'priority']);
    expect(keys(worker.priority).filter((key) => key !== 'note')).toEqual([
      'effective',
      'mechanism',
      'reason',
      'requested',
    ]);
    // less than was asked has a reason
    if (worker.priority.effective !== worker.priority.requested) expect(worker.priority.reason).toBeTruthy();
  }
  expect(keys(report.files)).toEqual(['changes', 'hlog', 'html', 'png', 'report', 'trace', 'wav']);
  return report;
}

function checkLatency(latency: { count: number; p50: number | null; max: number | null }): void {
  expect(keys(latency)).toEqual(LATENCY);
  for (const value of Object.values(latency)) {
    if (latency.count === 0) expect(value === null || value === 0).toBe(true);
    else expect(value).toBeTypeOf('number');
  }
}
