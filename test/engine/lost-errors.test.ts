import { once } from 'node:events';
import { createScheduler } from 'frame-deadline';
import { expect, it } from 'vitest';
import { startChild, taskUrl } from './support.js';

const tasks = taskUrl('throwing.tasks.js');

it('tells of a lost job whether it hung or close() ended it', async () => {
  const scheduler = await createScheduler({ lanes: { a: { tasks } }, workers: [{ lanes: ['a'] }], hangMs: 100 });
  const hung = await scheduler.submit(scheduler.lanes.a['spin']!).done;
  expect([hung.outcome, hung.error?.code]).toEqual(['lost', 'WORKER_DIED']);
  expect(hung.error?.message).toMatch(/^a\.spin is lost: it ran longer than hangMs/);
  await scheduler.close();

  const other = await createScheduler({ lanes: { a: { tasks } }, workers: [{ lanes: ['a'] }], hangMs: Infinity });
  const ended = other.submit(other.lanes.a['spin']!);
  await other.close({ drainMs: 50 });
  expect([ended.outcome, ended.error?.code]).toEqual(['lost', 'SCHEDULER_CLOSED']);
  expect(ended.error?.message).toMatch(/close\(\) ended its worker while it ran/);
});

it('a periodic task that throws each period is told on the console, once', async () => {
  const child = startChild('throws-each-period.js');
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = await once(child, 'close');
  expect(code).toBe(0);
  expect(stderr.match(/frame-deadline: /g)).toHaveLength(1);
  expect(stderr).toMatch(
    /^frame-deadline: a\.beat threw RangeError: x \(in period \d+\); further ones are counted as failed\n +at .*throwing\.tasks\.js/s,
  );
});
