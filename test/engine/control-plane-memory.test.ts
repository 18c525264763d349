import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createScheduler } from 'frame-deadline';
import { expect, it } from 'vitest';
import { track, WORK_URL } from './support.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const CALLS = 4000;

it('a call of the supervisor leaves nothing behind', async () => {
  const scheduler = track(
    await createScheduler({ lanes: { work: { tasks: WORK_URL } }, workers: [{ lanes: ['work'] }] }),
  );
  const heapAfter = async (): Promise<number> => {
    for (let i = 0; i < CALLS; i++) await scheduler.refresh();
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  };
  await heapAfter();
  const before = await heapAfter();
  const bytes = ((await heapAfter()) - before) / CALLS;
  console.info(`${bytes.toFixed(0)} bytes a call`);
  expect(bytes).toBeLessThan(100);
  await scheduler.close();
});
