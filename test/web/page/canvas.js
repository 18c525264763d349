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
    lanes: {
      render: { tasks: TASKS, shared: { kind }, transfer: { canvas: canvas.transferControlToOffscreen() }, ...lane },
    },
  });
  const { draw } = scheduler.lanes.render;
  const shown = new Set();
  let backwards = 0;
  let last = 0;
  let drawn = 0;
  let isRunning = true;
  const look = () => {
    const number = shownNumber(canvas);
    if (number < last) backwards++;
    last = number;
    if (number !== 0) shown.add(number);
    if (isRunning) requestAnimationFrame(look);
  };
  look();
  const end = new AbortController();
  setTimeout(() => end.abort(), ms);
  const start = performance.now();
  await scheduler.loop({ signal: end.signal }, async (frame) => {
    const job = frame.submit(draw, { number: drawn + 1, us });
    await frame.join();
    if (job.outcome === 'onTime' || job.outcome === 'late') drawn++;
  });
  const seconds = (performance.now() - start) / 1000;
  isRunning = false;
  for (const wait = performance.now(); shownNumber(canvas) !== drawn && performance.now() - wait < 2000; )
    await sleep(10);
  const final = shownNumber(canvas);
  const { onTime, late } = scheduler.snapshot().lanes.render.outcomes;
  await scheduler.close();
  return { drawn, shown: shown.size, backwards, final, seconds, onTime, late };
}

/** The canvas goes with its worker: the next one gets another canvas of the page. */
export async function replaced() {
  const targets = [];
  let canvas;
  const scheduler = await createScheduler({
    lanes: {
      render: {
        tasks: TASKS,
        transfer(target) {
          targets.push(target);
          canvas = newCanvas();
          return { canvas: canvas.transferControlToOffscreen() };
        },
      },
    },
  });
  const { draw, die } = scheduler.lanes.render;
  const drawUntilShown = async (number) => {
    for (const start = performance.now(); performance.now() - start < 10_000; ) {
      await scheduler.submit(draw, { number, us: 0 }, { deadlineMs: 60_000 }).done;
      await sleep(20);
      if (shownNumber(canvas) === number) return true;
    }
    return false;
  };
  const before = await drawUntilShown(77);
  const first = canvas;
  const dying = scheduler.submit(die, {}, { deadlineMs: 60_000 });
  await dying.done;
  const after = await drawUntilShown(99);
  await scheduler.close();
  return { before, outcome: dying.outcome, after, isAnother: canvas !== first, targets };
}

/** A canvas that is given once is gone with its worker. */
export async function gone() {
  const scheduler = await createScheduler({
    lanes: { render: { tasks: TASKS, transfer: { canvas: newCanvas().transferControlToOffscreen() } } },
  });
  const { draw, die } = scheduler.lanes.render;
  await scheduler.submit(die, {}, { deadlineMs: 60_000 }).done;
  const job = await scheduler.submit(draw, { number: 1, us: 0 }, { deadlineMs: 60_000 }).done;
  const { message } = job.error ?? {};
  const { outcome } = job;
  await scheduler.close();
  return { outcome, message };
}

/** The same where `initialize` reads it: nothing can serve the lane any more. */
export async function goneInInitialize() {
  const scheduler = await createScheduler({
    lanes: {
      render: {
        tasks: TASKS,
        shared: { isEager: true },
        transfer: { canvas: newCanvas().transferControlToOffscreen() },
      },
    },
  });
  const { draw, die } = scheduler.lanes.render;
  await scheduler.submit(die, {}, { deadlineMs: 60_000 }).done;
  const waiting = scheduler.submit(draw, { number: 1, us: 0 }, { deadlineMs: 60_000 });
  await waiting.done;
  let description;
  for (const start = performance.now(); performance.now() - start < 20_000; await sleep(50)) {
    description = await scheduler.refresh();
    if (description.workers[0].state === 'gone') break;
  }
  const { refused } = scheduler.submit(draw, { number: 2, us: 0 });
  const { state, lastDeath, deaths } = description.workers[0];
  const { warnings } = description;
  await scheduler.close();
  return { waiting: waiting.outcome, refused, state, lastDeath, deaths, warnings };
}

/** Messages come to a lane's worker between its jobs. */
export async function port() {
  const { port1, port2 } = new MessageChannel();
  const canvas = newCanvas().transferControlToOffscreen();
  const scheduler = await createScheduler({
    lanes: { render: { tasks: TASKS, transfer: { port: port2, canvas } } },
  });
  const answers = [];
  for (let i = 1; i <= 20; i++) {
    const answer = new Promise((done) => {
      port1.onmessage = ({ data }) => done(data);
    });
    port1.postMessage(i);
    const job = scheduler.submit(scheduler.lanes.render.draw, { number: i, us: 0 }, { deadlineMs: 60_000 });
    answers.push(await answer);
    await job.done;
  }
  await scheduler.close();
  port1.close();
  return answers;
}

/** What cannot be transferred. */
export async function refused() {
  const codes = {};
  const used = newCanvas();
  used.getContext('2d');
  const drawn = new OffscreenCanvas(4, 4);
  drawn.getContext('2d');
  const things = {
    ofThePage: { canvas: used },
    drawn: { canvas: drawn },
    plain: { canvas: {} },
    shared: { x: new SharedArrayBuffer(4) },
  };
  for (const [name, transfer] of Object.entries(things)) {
    try {
      const scheduler = await createScheduler({ lanes: { render: { tasks: TASKS, transfer } } });
      await scheduler.close();
      codes[name] = 'created';
    } catch ({ code, message }) {
      codes[name] = { code, message };
    }
  }
  return codes;
}
