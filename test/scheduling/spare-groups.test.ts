import { describe, expect, it } from 'vitest';
import { normalizeOptions, type WorkerOptions } from '../../src/scheduler/options.js';
import { spareGroupsOf } from '../../src/scheduler/spare-groups.js';

/** By group: the indices of its workers, of lanes `a` and `b`, with one spare each. */
function placesOf(...workers: WorkerOptions<'a' | 'b'>[]): (readonly number[])[] {
  const lanes = { a: { tasks: 'file:///a.js' }, b: { tasks: 'file:///b.js' } };
  const options = normalizeOptions({ lanes, workers: [...workers, { lanes: ['b'] }] }, [0, 1]);
  const groups = spareGroupsOf(options.workers!, options.lanes, 1);
  // one column each, after those of the workers
  expect(groups.map(({ columns }) => columns)).toEqual(groups.map((_, at) => [options.workers!.length + at]));
  return groups.map(({ places }) => places);
}

describe('workers that share their spares', () => {
  it('differ in nothing but their names', () => {
    expect(placesOf({ lanes: ['a'], name: 'one' }, { lanes: ['a'], name: 'two' })).toEqual([[0, 1], [2]]);
    expect(placesOf({ lanes: ['a'], count: 2 }, { lanes: ['a'], gc: 'auto', spinUs: 0 })).toEqual([[0, 1, 2], [3]]);
  });

  it.each<Omit<WorkerOptions<'a' | 'b'>, 'name' | 'count'>>([
    { lanes: ['a', 'b'] },
    { lanes: ['a'], priority: 'normal' },
    { lanes: ['a'], cpus: [1] },
    { lanes: ['a'], spinUs: 50 },
    { lanes: ['a'], gc: 'inSlack' },
    { lanes: ['a'], resourceLimits: { stackSizeMb: 8 } },
  ])('are not: a plain one, and %j', (other) => {
    expect(placesOf({ lanes: ['a'] }, other)).toEqual([[0], [1], [2]]);
  });
});
