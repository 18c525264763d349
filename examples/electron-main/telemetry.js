// The part without Electron: a scheduler, a frame loop, and telemetry as plain data ten times a second. Run by main.js in
// Electron and, for itself, in Node.
import { createScheduler } from 'frame-deadline';

/**
 * @typedef {{ frames: number, droppedTicks: number, misses: number, responseP99Us: number | null, lastMiss: string | null }} FrameTelemetry
 */

/**
 * Runs until the signal is aborted. `send` gets telemetry that survives structured cloning: it can go over IPC as it is.
 * @param {(telemetry: FrameTelemetry) => void} send
 * @param {AbortSignal} signal
 */
export async function runFrames(send, signal) {
  const scheduler = await createScheduler({
    lanes: {
      render: { tasks: new URL('./render.tasks.js', import.meta.url), load: () => import('./render.tasks.js') },
    },
  });
  /** @type {string | null} */
  let lastMiss = null;
  scheduler.onMiss((miss) => {
    lastMiss = `${miss.task} missed by ${miss.tardinessUs} µs: ${miss.cause}`;
  });
  const timer = setInterval(() => {
    const { loops, lanes } = scheduler.snapshot();
    const loop = loops.at(-1);
    send({
      frames: loop?.frames ?? 0,
      droppedTicks: loop?.droppedTicks ?? 0,
      misses: lanes.render.misses,
      responseP99Us: lanes.render.responseUs.p99,
      lastMiss,
    });
  }, 100);
  try {
    await scheduler.loop({ hz: 60, signal }, async (frame) => {
      for (let i = 0; i < 8; i++) frame.submit(scheduler.lanes.render.work, { rounds: 20_000 });
      await frame.join({ until: 'deadline' }); // never joinSync here: Electron's main thread must not block
    });
  } finally {
    clearInterval(timer);
    await scheduler.close();
  }
}
