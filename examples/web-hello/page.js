import { createScheduler } from 'frame-deadline';

const ROWS = 8;
const show = (/** @type {string} */ id, /** @type {string} */ text) => {
  const element = document.getElementById(id);
  if (element !== null) element.textContent = text;
};

const scheduler = await createScheduler({
  // without the two headers: the same jobs, in this thread
  mode: crossOriginIsolated ? 'threads' : 'inline',
  lanes: {
    render: {
      tasks: new URL('./hello.tasks.js', import.meta.url),
      load: () => import('./hello.tasks.js'),
    },
  },
});
show('describe', String(scheduler.describe()));
scheduler.onMiss(({ task, cause, tardinessUs }) =>
  show('miss', `${task}: ${cause}, ${Math.round(tardinessUs)} µs late`),
);

const { row } = scheduler.lanes.render;
await scheduler.loop({}, async (frame) => {
  const jobs = Array.from({ length: ROWS }, (_, i) => frame.submit(row, { y: i / ROWS, points: 500 }));
  await frame.join({ until: 'deadline' });
  show('steps', String(jobs.reduce((sum, job) => sum + (job.outcome === 'onTime' ? job.output.steps : 0), 0)));
  if (frame.number % 60 !== 0) return;
  const { lanes, loops } = scheduler.snapshot();
  const [loop] = loops;
  show('frames', `${loop?.frames} at ${loop?.hz.toFixed(1)} Hz, ${loop?.droppedTicks} dropped`);
  show('outcomes', JSON.stringify(lanes.render.outcomes));
});
