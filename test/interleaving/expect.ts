import { expect } from 'vitest';
import { type Bounds, type Exploration, explore, replay, type Scenario } from './explore.js';

/** The search of a spoilt system, which should find its fault before this. */
export const MUTANT: Bounds = { preemptions: 2, maxSchedules: 20_000 };

/** No schedule failed, and at least so many were tried. */
export function expectSound(exploration: Exploration, atLeastSchedules: number): void {
  report(exploration);
  if (exploration.failure !== null) expect.fail(exploration.failure.message);
  expect(exploration.schedules).toBeGreaterThanOrEqual(atLeastSchedules);
}

/** Some schedule of this (spoilt) system fails, and fails again when it is replayed. Tries few preemptions first. */
export function expectFound(scenario: Scenario, bounds: Bounds): void {
  let schedules = 0;
  for (let preemptions = 0; preemptions <= bounds.preemptions; preemptions++) {
    const exploration = explore(scenario, { ...bounds, preemptions });
    report(exploration);
    schedules += exploration.schedules;
    const { failure } = exploration;
    if (failure === null) continue;
    expect(replay(scenario, failure.schedule)?.message).toBe(failure.message);
    return;
  }
  expect.fail(`not found in ${schedules} schedules`);
}

/** Another one each time; a failure's message tells it. `FD_SEED` repeats one. */
export function randomSeed(): number {
  return Number(process.env['FD_SEED'] ?? Math.floor(Math.random() * 0x7fffffff));
}

function report({ schedules, states, accesses, complete, failure }: Exploration): void {
  if (process.env['FD_VERBOSE'] === undefined) return;
  const result = failure === null ? (complete ? 'complete' : 'cut off') : failure.message;
  console.log(`${schedules} schedules, ${states} states, ${accesses} accesses, ${result}`);
}
