import { createScheduler } from 'frame-deadline';
import { Picture } from './picture.js';
import { Sound } from './sound.js';
import { allocateStage, BLOCK_SAMPLE_FRAMES, canShare, SAMPLE_RATE_HZ, STALL_MS } from './stage.js';

/** Four rounds of the piece, which then begins anew. */
const MUSIC_SECONDS = 37;
/** From a frame's intended tick, at 60 Hz; at most the display's period. */
const FRAME_DEADLINE_MS = 16;
/** Longer than Chromium takes to end a thread that does not return: else a crash would be taken for a hang. */
const HANG_MS = 3000;
/** What the page's own thread can do beside all the rest. */
const INLINE_FRAMES = { hz: 30, deadlineMs: 32 };

/** @typedef {Awaited<ReturnType<typeof createLanes>>} DemoScheduler */

/** @returns {Promise<readonly Float32Array[]>} */
function composeMusic() {
  const worker = new Worker(new URL('./music.worker.js', import.meta.url), { type: 'module', name: 'music' });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      worker.terminate();
      resolve(data);
    };
    worker.onerror = () => reject(new Error('the worker that composes the music could not be started'));
    worker.postMessage(MUSIC_SECONDS);
  });
}

/** Three lanes: audio and input periodic, each on a worker of its own; render on as many as there are CPUs for. @param {import('./stage.js').Stage} stage */
function createLanes(stage) {
  const shared = { stage };
  const blockMs = (BLOCK_SAMPLE_FRAMES / SAMPLE_RATE_HZ) * 1000;
  const renderWorkers = Math.min(4, Math.max(1, (navigator.hardwareConcurrency || 2) - 1));
  return createScheduler({
    mode: canShare ? 'threads' : 'inline',
    lanes: {
      audio: {
        tasks: new URL('./audio.tasks.js', import.meta.url),
        load: () => import('./audio.tasks.js'),
        // in the page's own thread timers come seldom
        periodic: { task: 'block', everyMs: canShare ? 2 * blockMs : 10 * blockMs },
        shared,
      },
      input: {
        tasks: new URL('./input.tasks.js', import.meta.url),
        load: () => import('./input.tasks.js'),
        periodic: { task: 'poll', everyMs: canShare ? 4 : 16 },
        shared,
      },
      render: {
        tasks: new URL('./render.tasks.js', import.meta.url),
        load: () => import('./render.tasks.js'),
        shared,
      },
    },
    ...(canShare
      ? {
          workers: [
            { name: 'audio', lanes: ['audio'] },
            { name: 'input', lanes: ['input'] },
            { name: 'render', lanes: ['render'], count: renderWorkers },
          ],
          hangMs: HANG_MS,
          workerUrl: new URL('./web-worker.js', import.meta.url),
          supervisorUrl: new URL('./web-supervisor.js', import.meta.url),
        }
      : {}),
    // the scene goes from frame to frame, and there is one buffer to draw in beside the one that is shown
    framesInFlight: 1,
    readyTimeoutMs: 30_000,
  });
}

/** Sound, picture and input on their lanes, and what can be done to them. */
export class Demo {
  /** @param {HTMLCanvasElement} canvas */
  static async start(canvas) {
    const stage = allocateStage(await composeMusic(), 2048);
    return new Demo(stage, await createLanes(stage), canvas);
  }

  /** @param {import('./stage.js').Stage} stage @param {DemoScheduler} scheduler @param {HTMLCanvasElement} canvas */
  constructor(stage, scheduler, canvas) {
    this.stage = stage;
    this.scheduler = scheduler;
    this.words = new Int32Array(stage.words);
    this.picture = new Picture(canvas, stage, scheduler);
    this.sound = canShare ? new Sound(stage) : null;
    /** @type {AbortController | null} */
    this.running = null;
    this.holdMs = 0;
    this.stallMs = 0;
    this.renderWorkers = scheduler.describe().workers.filter(({ lanes }) => lanes.includes('render')).length;
  }

  get isRunning() {
    return this.running !== null;
  }

  /** Runs the picture until `pause`. Rejects with what went wrong. */
  async run() {
    if (this.running !== null) return;
    const running = new AbortController();
    this.running = running;
    const { picture } = this;
    const frames = canShare ? { deadlineMs: FRAME_DEADLINE_MS } : INLINE_FRAMES;
    let isLate = false;
    try {
      await this.scheduler.loop({ ...frames, signal: running.signal }, async (frame) => {
        // one frame is in flight at most: what was late before is whole now
        if (isLate) picture.present();
        const { holdMs } = this;
        this.holdMs = 0;
        spin(holdMs);
        picture.submit(frame);
        isLate = !(await frame.join({ until: 'deadline' }));
        if (!isLate) picture.present();
        // between frames: in this callback it would be the callback's own doing
        if (this.stallMs > 0) setTimeout(spin, 0, this.stallMs);
        this.stallMs = 0;
      });
    } finally {
      if (this.running === running) this.running = null;
    }
  }

  pause() {
    this.running?.abort();
    this.running = null;
  }

  // ------------------------------------------------- what goes wrong

  /** One tile of the next frame works for so long. @param {number} ms */
  overrunTile(ms) {
    this.picture.spinUs = ms * 1000;
  }

  /** Every render worker gets another job first. @param {number} ms */
  blockRenderWorkers(ms) {
    const { bake } = this.scheduler.lanes.render;
    for (let n = 0; n < this.renderWorkers; n++) this.submitOnce(bake, { us: ms * 1000 });
  }

  /** The next frame's callback does something else before it submits. @param {number} ms */
  holdCallback(ms) {
    this.holdMs = ms;
  }

  /** The page's thread is busy between frames. @param {number} ms */
  stallMainThread(ms) {
    this.stallMs = ms;
  }

  /** The audio lane does nothing. @param {number} ms */
  stallAudio(ms) {
    Atomics.store(this.words, STALL_MS, ms);
  }

  crashWorker() {
    this.submitOnce(this.scheduler.lanes.render.crash, {});
  }

  hangWorker() {
    this.submitOnce(this.scheduler.lanes.render.hang, {});
  }

  /** @param {number} ms */
  litter(ms) {
    this.submitOnce(this.scheduler.lanes.render.litter, { us: ms * 1000 });
  }

  /**
   * A job outside frames, whose slot is given back when it is over, however it ended.
   * @template {import('frame-deadline').Schema} I
   * @param {import('frame-deadline').TaskHandle<I, import('frame-deadline').Schema>} task
   * @param {import('frame-deadline').Literal<I>} input
   */
  submitOnce(task, input) {
    const job = this.scheduler.submit(task, input);
    const release = () => job.release();
    job.done.then(release, release);
  }

  /** More busy threads than CPUs. @param {number} ms */
  crowd(ms) {
    for (let n = 0; n < 2 * (navigator.hardwareConcurrency || 2); n++) {
      const hog = new Worker(new URL('./hog.worker.js', import.meta.url), { type: 'module', name: 'hog' });
      hog.onmessage = () => hog.terminate();
      hog.postMessage(ms);
    }
  }
}

/** @param {number} ms */
function spin(ms) {
  for (const end = performance.now() + ms; performance.now() < end; );
}
