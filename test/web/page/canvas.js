// What offscreen.test.ts runs in its page: each test gives plain data.
import { createScheduler } from '../../../dist/web.js';

const TASKS = new URL('./canvas.tasks.js', import.meta.url);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function newCanvas() {
  const canvas = document.createElement('canvas');
  canvas.width = 64;
  canvas.height = 48;
  document.body.replaceChildren(canvas);
  return canvas;
}

const reader = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });

/** The number of the picture that the page shows on a canvas; 0 before the first. */
function shownNumber(canvas) {
  reader.clearRect(0, 0, 1, 1);
  reader.drawImage(canvas, 32, 24, 1, 1, 0, 0, 1, 1);
  const [r, g, b, a] = reader.getImageData(0, 0, 1, 1).data;
  return a === 0 ? 0 : (r >> 4) | ((g >> 4) << 4) | ((b >> 4) << 8);
}

/** Draws one picture each frame of the display, and counts those that the page shows. */
export async function pictures({ ms = 2000, kind = '2d', us = 0, lane = {} } = {}) {
  const canvas = newCanvas();
  const scheduler = await createScheduler({
    lanes: { render: { tasks: TASKS, shared: { kind }, transfer: { canvas: canvas.transferControlToOffscreen() }, ...lane } },
  });
  const { draw } = scheduler.lanes.render;
  const shown = new Set();
  let backwards = 0;
  let last = 0;
  let lag = 0;
  let drawn = 0;
  const end = new AbortController();
  setTimeout(() => end.abort(), ms);
  const start = performance.now();
  await scheduler.loop({ signal: end.signal }, async (frame) => {
    const number = shownNumber(canvas);
    if (number < last) backwards++;
    last = number;
    if (number !== 0) shown.add(number);
    lag = Math.max(lag, drawn - number);
    const job = frame.submit(draw, { number: drawn + 1, us });
    await frame.join();
    if (job.outcome === 'onTime' || job.outcome === 'late') drawn++;
  });
  const seconds = (performance.now() - start) / 1000;
  await sleep(100);
  const final = shownNumber(canvas);
  const { wakeup, outcomes } = scheduler.telemetry === undefined ? {} : scheduler.snapshot().lanes.render;
  await scheduler.close();
  return { drawn, shown: shown.size, backwards, lag, final, seconds, outcomes, wakeup };
}
