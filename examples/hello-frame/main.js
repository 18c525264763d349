// What a newcomer copies: one lane, one task, sixteen jobs per frame at 60 Hz.   node examples/hello-frame/main.js
import { createScheduler } from 'frame-deadline';

const seconds = Number(process.env.EXAMPLE_SECONDS ?? 3);

const scheduler = await createScheduler({
  lanes: {
    render: {
      tasks: new URL('./render.tasks.js', import.meta.url), // what the workers import
      load: () => import('./render.tasks.js'), // gives the types
    },
  },
});
const { tile } = scheduler.lanes.render;

scheduler.onMiss((miss) => {
  console.log(
    `missed by ${miss.tardinessUs} µs: ${miss.task}, because of ${miss.cause}, behind ${miss.culprit?.task ?? 'nobody'}`,
  );
});

let brightness = 0;
await scheduler.loop({ hz: 60, signal: AbortSignal.timeout(seconds * 1000) }, async (frame) => {
  const jobs = [];
  for (let i = 0; i < 16; i++) {
    jobs.push(frame.submit(tile, { x: (i & 3) * 64, y: (i >> 2) * 64, zoom: 1 + frame.number / 100 }));
  }
  await frame.join({ until: 'deadline' });
  for (const job of jobs) {
    if (job.outcome === 'onTime') brightness += job.output.pixels[0] ?? 0; // valid until the next frame
  }
});

const { lanes, loops } = scheduler.snapshot();
console.log(`${loops[0]?.frames} frames, ${lanes.render.outcomes.onTime} jobs on time, ${lanes.render.misses} missed`);
console.log(
  `response p99 ${lanes.render.responseUs.p99} µs of ${lanes.render.deadlineMs} ms, brightness ${brightness}`,
);
await scheduler.close();
