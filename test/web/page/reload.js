// What reload.test.ts runs in its page.
import { createScheduler } from '../../../dist/web.js';

const set = (version, more = '') =>
  fetch('/now', { headers: { 'x-set': `/?version=${version}&more=${encodeURIComponent(more)}` } });

globalThis.reloadTest = async () => {
  const scheduler = await createScheduler({
    lanes: { render: { tasks: new URL('/hot/render.tasks.js', location.href) } },
    workers: [{ lanes: ['render'], count: 2 }],
    readyTimeoutMs: 20_000,
  });
  const { stamp } = scheduler.lanes.render;
  const stop = new AbortController();
  const versions = [];
  let mixed = 0;
  let frames = 0;
  const loop = scheduler.loop({ hz: 60, signal: stop.signal, deadlineMs: 5000 }, async (frame) => {
    const jobs = [1, 2, 3, 4].map(() => frame.submit(stamp, { us: 300 }));
    await frame.join();
    if (frame.refused !== false) return;
    frames++;
    const of = new Set(jobs.map((job) => job.output.version));
    if (of.size > 1) mixed++;
    if (versions.at(-1) !== jobs[0].output.version) versions.push(jobs[0].output.version);
  });
  /** Until the version that is in service has been seen in a frame. */
  const seen = async (version) => {
    while (versions.at(-1) !== version) await new Promise((done) => setTimeout(done, 5));
  };
  await seen(1);
  let workers = [];
  for (let version = 2; version <= 6; version++) {
    await set(version);
    workers = (await scheduler.reload('render')).workers;
    await seen(version);
  }
  const errors = [];
  for (const broken of ['export const = 1;', 'throw new Error("on purpose");', 'await 0; self.close();']) {
    await set(9, broken);
    errors.push(
      await scheduler.reload('render').then(
        () => 'none',
        ({ code }) => code,
      ),
    );
  }
  await set(7);
  await scheduler.reload('render');
  await seen(7);
  stop.abort();
  await loop;
  const { lost } = scheduler.snapshot().lanes.render.outcomes;
  await scheduler.close();
  return { versions, mixed, frames, lost, errors, workers };
};
