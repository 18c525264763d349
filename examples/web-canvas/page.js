import { createScheduler, StreamRing } from 'frame-deadline';
import { recordPointer } from './pointer-input.js';
import { EVENTS, HEIGHT, PIXEL_BYTES, POINTER_BYTES, PRESENTED_FRAME, TRAIL_POINTS, WIDTH } from './stage.js';

const BANDS = 4;

/** @type {(id: string) => any} */
const element = (id) => document.getElementById(id);

async function start() {
  const ring = StreamRing.allocate({ kind: 'records', recordBytes: POINTER_BYTES, capacityRecords: 1024 });
  const stage = {
    pointer: ring.buffer,
    words: new SharedArrayBuffer(8),
    trail: new SharedArrayBuffer(TRAIL_POINTS * 8),
    stamp: new SharedArrayBuffer(8),
    drawn: new SharedArrayBuffer(2 * PIXEL_BYTES),
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
      render: {
        tasks: new URL('./render.tasks.js', import.meta.url),
        load: () => import('./render.tasks.js'),
        shared,
      },
    },
  });
  const { draw, shade } = scheduler.lanes.render;
  recordPointer([element('drawn'), element('shaded')], ring);

  const presenter = new Worker(new URL('./presenter.js', import.meta.url), { type: 'module', name: 'presenter' });
  presenter.onerror = ({ message }) => {
    element('message').textContent = message;
  };
  const canvas = element('drawn').transferControlToOffscreen();
  presenter.postMessage({ canvas, stage }, [canvas]);

  const brush = /** @type {CanvasRenderingContext2D} */ (element('shaded').getContext('2d'));
  const image = new ImageData(WIDTH, HEIGHT);
  const shaded = [0, 1].map((n) => new Uint8ClampedArray(stage.shaded, n * PIXEL_BYTES, PIXEL_BYTES));

  let frames = 0;
  let late = 0;
  let shownStampMs = 0;
  const running = scheduler.loop({}, async (frame) => {
    const next = Atomics.load(words, PRESENTED_FRAME) + 1;
    const buffer = next & 1;
    const seconds = performance.now() / 1000;
    frame.submit(draw, { buffer, seconds });
    const rows = HEIGHT / BANDS;
    for (let band = 0; band < BANDS; band++) frame.submit(shade, { buffer, firstRow: band * rows, rows, seconds });
    const inTime = await frame.join({ until: 'deadline' });
    if (!inTime) {
      late++;
      await frame.join({ until: 'finished' });
    }
    frames++;
    // one way: tell the presenter, which has the other canvas
    Atomics.store(words, PRESENTED_FRAME, next); // release
    Atomics.notify(words, PRESENTED_FRAME);
    // the other: an ImageData takes no shared memory, so one copy, and put
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
