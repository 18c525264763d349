import { describe, expect, it } from 'vitest';
import { jobsOf, planRound } from './plan.js';

const ROUNDS = Array.from({ length: 400 }, (_, round) => planRound(11, round));

describe('the plan of a round', () => {
  it('depends on seed and number alone', () => {
    const json = (seed: number, round: number): string => JSON.stringify(planRound(seed, round));
    expect(json(1, 7)).toBe(json(1, 7));
    expect(json(1, 7)).not.toBe(json(1, 8));
    expect(json(1, 7)).not.toBe(json(2, 7));
  });

  it('numbers its jobs from 0 without gaps, and gives them to lanes that there are', () => {
    for (const { actions, jobs, options } of ROUNDS) {
      const all = actions.flatMap(jobsOf);
      expect([...all].map(({ id }) => id).sort((a, b) => a - b)).toEqual(Array.from({ length: jobs }, (_, id) => id));
      const lanes = new Set(options.lanes.map(({ name }) => name));
      expect(all.every(({ lane }) => lanes.has(lane))).toBe(true);
      const served = options.workers?.flatMap((group) => group.lanes);
      if (served !== undefined) for (const lane of lanes) expect(served).toContain(lane);
    }
  });

  it('in the order of time', () => {
    for (const { actions } of ROUNDS) {
      const times = actions.map(({ atMs }) => atMs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });

  it('wants nothing that must hang or bring down this process', () => {
    for (const { actions, options, temper } of ROUNDS) {
      const tasks = new Set(actions.flatMap(jobsOf).map(({ task }) => task));
      // without limits it would take the memory of the whole process
      if (tasks.has('exhaust')) expect(options).toMatchObject({ limited: true, workers: expect.any(Array) });
      if (['hang', 'hangWaiting', 'hangOnce', 'native'].some((task) => tasks.has(task))) {
        expect(options.hangMs).not.toBe(null);
      }
      // jobs that run in the calling thread
      if (options.hostHelps)
        expect([...tasks].filter((task) => /^(hang|exit|native|exhaust|.*Later)/.test(task))).toEqual([]);
      const joins = actions.map((action) => (action as { join?: string }).join);
      if (options.lanes.some(({ transfer }) => transfer !== null)) {
        expect(joins.filter((join) => join?.startsWith('sync'))).toEqual([]);
      }
      if (temper !== 'helping') expect(joins).not.toContain('help');
    }
  });

  it('in some hundred rounds everything happens', () => {
    const kinds = new Set(ROUNDS.flatMap(({ actions }) => actions.map(({ kind }) => kind)));
    expect([...kinds].sort()).toEqual(
      'abort close collect frame look loop reload serve singles stallMain stallSupervisor stop terminate'.split(' '),
    );
    const tasks = new Set(ROUNDS.flatMap(({ actions }) => actions.flatMap(jobsOf)).map(({ task }) => task));
    for (const task of ['fine', 'reverse', 'thrower', 'hang', 'native', 'exit', 'exitOnce', 'throwLater', 'exhaust']) {
      expect(tasks).toContain(task);
    }
  });
});
