// Runs the built package on Windows, or under Wine: ten frames of sixteen jobs on a real-time worker.
// Argument: path of the file for the answer.
import { writeFileSync } from 'node:fs';
import { createScheduler } from 'frame-deadline';

const FRAMES = 10;
const answer = { thread: null, outcomes: {}, pixels: 0, expected: 0, error: null };
try {
  const scheduler = await createScheduler({
    // on a slow machine a job comes late, and is done all the same
    lanes: { render: { tasks: new URL('./render.tasks.js', import.meta.url), onExpired: 'run' } },
    workers: [{ lanes: ['render'], priority: 'realtime' }],
  });
  answer.thread = scheduler.describe().workers[0].thread;
  const stop = new AbortController();
  let frames = 0; // a tick may be dropped on a busy machine, and its number with it
  await scheduler.loop({ hz: 10, signal: stop.signal }, async (frame) => {
    const jobs = [];
    for (let i = 0; i < 16; i++) jobs.push(frame.submit(scheduler.lanes.render.tile, { x: i * 8, y: 0, zoom: 1 }));
    await frame.join();
    for (const job of jobs) {
      answer.outcomes[job.outcome] = (answer.outcomes[job.outcome] ?? 0) + 1;
      if (job.outcome === 'onTime' || job.outcome === 'late') answer.pixels += job.output.pixels[1];
    }
    for (let i = 0; i < 16; i++) {
      // the task's palette at column x + 1 of row 0
      answer.expected += (((i * 8 + 1) ** 2) >> 8) & 255;
    }
    if (++frames === FRAMES) stop.abort();
  });
  await scheduler.close();
} catch (error) {
  answer.error = String(error.stack);
}
writeFileSync(process.argv[2], JSON.stringify(answer));
process.exit(0);
