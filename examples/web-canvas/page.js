import { createScheduler, StreamRing } from 'frame-deadline';
import { recordPointer } from './pointer-input.js';
import { EVENTS, HEIGHT, PIXEL_BYTES, POINTER_BYTES, TRAIL_POINTS, WIDTH } from './stage.js';

const BANDS = 4;

/** @type {(id: string) => any} */
const element = (id) => document.getElementById(id);

/** A canvas like the one that is on the page, in its place. */
function freshCanvas() {
  const canvas = element('drawn').cloneNode();
  element('drawn').replaceWith(canvas);
  return canvas;
}

async function start() {
  const ring = StreamRing.allocate({ kind: 'records', recordBytes: POINTER_BYTES, capacityRecords: 1024 });
  const stage = {
    pointer: ring.buffer,
    words: new SharedArrayBuffer(4),
    trail: new SharedArrayBuffer(TRAIL_POINTS * 8),
    stamp: new SharedArrayBuffer(8),
    shaded: new SharedArrayBuffer(2 * PIXEL_BYTES),
  };
  const words = new Int32Array(stage.words);
  const stamp = new Float64Array(stage.stamp);
  const shared = { stage };
  const scheduler = await createScheduler({
    lanes: {
      input: {
        tasks: new URL('./input.tasks.js', import.meta.url),
        load: () => import('./input.tasks.js'),
        periodic: { task: 'read', everyMs: 2 },
        deadlineMs: 2,
        shared,
      },
      canvas: {
        tasks: new URL('./canvas.tasks.js', import.meta.url),
        load: () => import('./canvas.tasks.js'),
        shared,
        // also for a worker that takes a dead one's place: no canvas can be moved twice
        transfer: () => ({ canvas: freshCanvas().transferControlToOffscreen() }),
      },
      render: {
        tasks: new URL('./render.tasks.js', import.meta.url),
        load: () => import('./render.tasks.js'),
        shared,
      },
    },
    // whatever a browser says of its CPUs
    workers: [{ lanes: ['input'] }, { lanes: ['canvas'] }, { lanes: ['render'] }],
  });
  const { draw } = scheduler.lanes.canvas;
  const { shade } = scheduler.lanes.render;
  recordPointer([element('drawn').parentElement, element('shaded').parentElement], ring);

  const brush = /** @type {CanvasRenderingContext2D} */ (element('shaded').getContext('2d'));
  const image = new ImageData(WIDTH, HEIGHT);
  const shaded = [0, 1].map((n) => new Uint8ClampedArray(stage.shaded, n * PIXEL_BYTES, PIXEL_BYTES));

  let frames = 0;
  let late = 0;
  let shownStampMs = 0;
  const running = scheduler.loop({}, async (frame) => {
    const buffer = frame.number & 1;
    const seconds = performance.now() / 1000;
    // one way: it draws where it is seen
    frame.submit(draw, { seconds });
    const rows = HEIGHT / BANDS;
    for (let band = 0; band < BANDS; band++) frame.submit(shade, { buffer, firstRow: band * rows, rows, seconds });
    const inTime = await frame.join({ until: 'deadline' });
    if (!inTime) {
      late++;
      await frame.join({ until: 'finished' });
    }
    frames++;
    // the other: pixels that are shared. An ImageData takes no shared memory, so one copy, and put
    image.data.set(/** @type {Uint8ClampedArray} */ (shaded[buffer]));
    brush.putImageData(image, 0, 0);
    if (stamp[0] !== shownStampMs) {
      shownStampMs = /** @type {number} */ (stamp[0]);
      element('latency').textContent = `${(performance.now() - shownStampMs).toFixed(1)} ms to putImageData`;
    }
    element('frames').textContent = `${frames}, ${late}`;
    element('events').textContent = `${Atomics.load(words, EVENTS)}, ${ring.counts().overruns} lost`;
  });
  await running;
}

element('start').addEventListener('click', async () => {
  element('start').disabled = true;
  try {
    await start();
  } catch (error) {
    element('message').textContent = error instanceof Error ? error.message : String(error);
  }
});
