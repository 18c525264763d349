import { expect } from 'vitest';
import { type Bounds, type Exploration, explore, exploreRandomly, replay, type Scenario } from './explore.js';

/** The search of a spoilt system, which should find its fault before this. */
export const MUTANT: Bounds = { preemptions: 2, maxSchedules: 100_000 };

/** `FD_DEEP=10`: searches ten times as many schedules, with one preemption more. */
const DEEP = Number(process.env['FD_DEEP'] ?? 0);

/** No schedule with few preemptions fails, and at least so many are tried. */
export function expectSoundWithin(scenario: Scenario, bounds: Bounds, atLeastSchedules: number): void {
  const maxSchedules = bounds.maxSchedules ?? 20_000;
  const deeper = { ...bounds, preemptions: bounds.preemptions + 1, maxSchedules: maxSchedules * DEEP };
  expectSound(explore(scenario, DEEP > 0 ? deeper : { ...bounds, maxSchedules }), atLeastSchedules);
}

/** So many random schedules go well. The seed is in the message of a failure; `FD_SEED` repeats it. */
export function expectSoundAtRandom(scenario: Scenario, runs: number, kills = 0): void {
  const seed = Number(process.env['FD_SEED'] ?? Math.floor(Math.random() * 0x7fffffff));
  expectSound(exploreRandomly(scenario, seed, runs * Math.max(1, DEEP), kills), runs);
}

function expectSound(exploration: Exploration, atLeastSchedules: number): void {
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

function report({ schedules, states, accesses, complete, failure }: Exploration): void {
  if (process.env['FD_VERBOSE'] === undefined) return;
  const result = failure === null ? (complete ? 'complete' : 'cut off') : failure.message;
  console.log(`${schedules} schedules, ${states} states, ${accesses} accesses, ${result}`);
}
