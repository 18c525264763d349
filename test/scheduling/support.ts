import type { LaneSnapshot } from 'frame-deadline';
import { expect } from 'vitest';

export const OUTCOMES = ['onTime', 'late', 'expired', 'failed', 'cancelled', 'lost'] as const;

/** Starts of the clock at which stamps pass 2^31 (sign) and 2^32 (wrap) soon, and an ordinary one. */
export const CLOCK_STARTS = [0, 2 ** 31, 2 ** 32] as const;

/** Outcomes (or `refused`) of jobs as a tally with all keys. */
function tallyOf(outcomes: readonly string[]): Record<string, number> {
  const tally: Record<string, number> = { pending: 0, refused: 0 };
  for (const outcome of OUTCOMES) tally[outcome] = 0;
  for (const outcome of outcomes) tally[outcome] = (tally[outcome] ?? 0) + 1;
  return tally;
}

/** C1: what the scheduler counted is what became of each job, as seen from outside. */
export function expectCounts(lane: LaneSnapshot, outcomes: readonly string[]): void {
  const { refused, pending, ...ended } = tallyOf(outcomes);
  expect({
    submitted: lane.submitted,
    accepted: lane.accepted,
    refused: lane.refused,
    inFlight: lane.inFlight,
    outcomes: lane.outcomes,
  }).toEqual({
    submitted: outcomes.length,
    accepted: outcomes.length - refused!,
    refused,
    inFlight: pending,
    outcomes: ended,
  });
  expect(Object.values(lane.refusals).reduce((sum, count) => sum + count)).toBe(lane.refused);
  expect(Object.values(lane.missCauses).reduce((sum, count) => sum + count)).toBe(lane.misses);
}
