// The lanes of a process without a page: main or utility. No Electron in here, so that it runs in Node as well.
import { availableParallelism } from 'node:os';
import { createScheduler } from 'frame-deadline';

const TILES = 8;

/** A scheduler and its frame loop. */
export class Lanes {
  /** @param {Awaited<ReturnType<typeof createLanes>>} made */
  constructor({ scheduler, level }) {
    this.scheduler = scheduler;
    this.level = level;
    /** @type {AbortController | null} */
    this.loopEnd = null;
    /** Sum of the tiles that were on time: what a real app would show. */
    this.brightness = 0;
    /** Rejects with what a frame throws. */
    this.failed = new Promise((_resolve, reject) => {
      this.fail = reject;
    });
    this.failed.catch(() => {});
  }

  /** Begins the frames, also after `pause()`. */
  run() {
    if (this.loopEnd !== null) return;
    this.loopEnd = new AbortController();
    const { tile } = this.scheduler.lanes.render;
    const loop = this.scheduler.loop({ hz: 60, signal: this.loopEnd.signal }, async (frame) => {
      const level = Atomics.load(this.level, 0);
      const jobs = Array.from({ length: TILES }, (_, number) =>
        frame.submit(tile, { number, frame: frame.number, level }),
      );
      await frame.join({ until: 'deadline' }); // never joinSync here: Electron's main thread draws the windows
      for (const job of jobs) if (job.outcome === 'onTime') this.brightness += job.output.pixels[0] ?? 0;
    });
    loop.catch((error) => this.fail?.(error));
  }

  /** Ends the frames: while the computer sleeps none are due. Periodic lanes go on. */
  pause() {
    this.loopEnd?.abort();
    this.loopEnd = null;
  }

  /** Ends the frames and waits for the jobs and threads. */
  async close() {
    this.pause();
    await this.scheduler.close();
  }
}

/** Starts the threads; the native addon is loaded before the first of them. */
export async function startLanes() {
  return new Lanes(await createLanes());
}

async function createLanes() {
  const level = new SharedArrayBuffer(4);
  const scheduler = await createScheduler({
    lanes: {
      audio: {
        tasks: new URL('./audio.tasks.js', import.meta.url),
        load: () => import('./audio.tasks.js'),
        periodic: { task: 'block', everyMs: 2.667 },
        shared: { samples: new SharedArrayBuffer(512), level },
      },
      render: { tasks: new URL('./render.tasks.js', import.meta.url), load: () => import('./render.tasks.js') },
    },
    // all isolates of an Electron process share 4 GB for their heaps, and a page of the app may be in one of them
    workers: [
      { lanes: ['audio'], resourceLimits: { maxOldGenerationSizeMb: 64 } },
      {
        lanes: ['render'],
        count: Math.max(1, Math.min(4, availableParallelism() - 2)),
        resourceLimits: { maxOldGenerationSizeMb: 128 },
      },
    ],
  });
  return { scheduler, level: new Int32Array(level) };
}
