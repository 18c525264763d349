import { task } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { expect, it } from 'vitest';

it('who awaits a job is told when its frame is joined with a signal that is aborted already', async () => {
  const tile = task({ input: {}, run() {} });
  const scheduler = await createTestScheduler({ lanes: { render: { load: async () => ({ tile }) } } });
  const frame = scheduler.beginFrame();
  const job = frame.submit(scheduler.lanes.render.tile, {});
  let told = '';
  void job.done.then(({ outcome }) => {
    told = outcome;
  });
  const joined = frame.join({ signal: AbortSignal.abort() });
  await scheduler.advanceMs(1);
  expect(await joined).toBe(true);
  expect(told).toBe('cancelled');
  await scheduler.close();
});
