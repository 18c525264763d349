import { createScheduler } from 'frame-deadline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { noThreadIsLeft, quiet, taskUrl, threadCount, track, until } from './support.js';

let threadsBefore: number;
beforeEach(() => {
  threadsBefore = threadCount();
});
afterEach(() => noThreadIsLeft(threadsBefore));

it('a worker that dies while others still initialise their modules is started again', async () => {
  const ticks = new Int32Array(new SharedArrayBuffer(4));
  const scheduler = track(
    await createScheduler({
      lanes: {
        ticks: {
          tasks: taskUrl('ends-early.tasks.js'),
          periodic: { task: 'tick' as never, everyMs: 10 },
          shared: { ticks },
        },
        late: { tasks: taskUrl('starts-late.tasks.js'), shared: { ticks } },
      },
      workers: [{ lanes: ['ticks'] }, { lanes: ['late'] }],
    }),
  );
  await until('periods of the worker that follows', () => Atomics.load(ticks, 0) > 3);
  const { workers } = await scheduler.refresh();
  expect(workers.map(({ state, deaths }) => [state, deaths])).toEqual([
    ['serving', 1],
    ['serving', 0],
  ]);
  await scheduler.close();
  const { lanes } = await quiet(scheduler);
  expect(lanes.ticks!.outcomes.lost).toBe(1);
});
