// The sandboxed page: a scheduler of its own on Web Workers, and the telemetry of the other two processes.
import { createScheduler } from 'frame-deadline';

const TILES = 8;
const SIDE = 64;

/** @type {(id: string) => any} */
const element = (id) => document.getElementById(id);

/**
 * @param {'page' | import('../telemetry-api.js').TelemetrySource} process
 * @param {import('frame-deadline').Snapshot} snapshot
 * @param {import('frame-deadline').Miss | undefined} miss
 */
function show(process, { loops, lanes }, miss) {
  const sum = (/** @type {(lane: import('frame-deadline').LaneSnapshot) => number} */ of) =>
    Object.values(lanes).reduce((total, lane) => total + of(lane), 0);
  // a loop that was paused has ended, another one went on
  const figures = [
    loops.reduce((total, loop) => total + loop.frames, 0),
    loops.reduce((total, loop) => total + loop.droppedTicks, 0),
    sum((lane) => lane.outcomes.onTime),
    sum((lane) => lane.misses),
  ];
  const cells = element(process).querySelectorAll('td');
  figures.forEach((figure, i) => {
    cells[i].textContent = String(figure);
  });
  if (miss !== undefined) cells[4].textContent = `${miss.task}: ${miss.cause}, ${Math.round(miss.tardinessUs)} µs late`;
}

/** @param {import('../telemetry-api.js').TelemetrySource} source */
function listen(source) {
  const box = element(`listen-${source}`);
  let unsubscribe = () => {};
  const begin = () => {
    unsubscribe = frameTelemetry.subscribe(source, (message) => {
      if (message.ended === null) show(source, message.snapshot, message.misses.at(-1));
      else {
        element('message').textContent = message.ended;
        // its successor is being started
        setTimeout(() => box.checked && begin(), 1000);
      }
    });
  };
  box.addEventListener('change', () => {
    unsubscribe();
    if (box.checked) begin();
  });
  begin();
}

async function draw() {
  const scheduler = await createScheduler({
    lanes: {
      render: { tasks: new URL('./pixels.tasks.js', import.meta.url), load: () => import('./pixels.tasks.js') },
    },
    // where build.js put them: no bundler plug-in is needed
    workerUrl: new URL('./web-worker.js', import.meta.url),
    supervisorUrl: new URL('./web-supervisor.js', import.meta.url),
  });
  const { tile } = scheduler.lanes.render;
  const brush = element('picture').getContext('2d');
  const image = new ImageData(SIDE, SIDE);
  const rgba = new Uint32Array(image.data.buffer);
  /** @type {import('frame-deadline').Miss | undefined} */
  let lastMiss;
  scheduler.onMiss((miss) => {
    lastMiss = miss;
  });
  await scheduler.loop({}, async (frame) => {
    const jobs = Array.from({ length: TILES }, (_, number) => frame.submit(tile, { number, frame: frame.number }));
    await frame.join({ until: 'deadline' });
    jobs.forEach((job, number) => {
      if (job.outcome !== 'onTime') return; // the tile of the frame before stays
      const { pixels } = job.output;
      for (let i = 0; i < pixels.length; i++) rgba[i] = 0xff000000 | (pixels[i] * 0x010101);
      brush.putImageData(image, number * SIDE, 0);
    });
    if (frame.number % 15 === 0) show('page', scheduler.snapshot(), lastMiss);
  });
}

element('save').addEventListener('click', async () => {
  const { environment, lanes } = await frameTelemetry.read();
  element('report').textContent = JSON.stringify({ environment, lanes }, null, 2);
});
listen('main');
listen('utility');
draw().catch((error) => {
  element('message').textContent = error instanceof Error ? error.message : String(error);
});
