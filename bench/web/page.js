import { contestants } from './contestants.js';
import { work } from './work.js';

// What bench/web.js measures in its page.

const CALIBRATION_STEPS = 2_000_000;
const opened = new Map();

function check(answer, expected) {
  if (answer !== expected) throw new Error(`${answer} came back, expected ${expected}`);
}

/** Steps of `work` that take so long on an undisturbed CPU. */
function stepsOf(ms) {
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i++) {
    const start = performance.now();
    work(CALIBRATION_STEPS);
    shortestMs = Math.min(shortestMs, performance.now() - start);
  }
  return Math.round((CALIBRATION_STEPS * ms) / shortestMs);
}

globalThis.bench = {
  async open({ names, jobMs }) {
    for (const name of names) opened.set(name, await contestants[name]());
    return { isolated: crossOriginIsolated, steps: stepsOf(jobMs) };
  },

  /** Microseconds of each of `count` jobs, one after the other, awaited. */
  async roundTrips({ name, count }) {
    const all = opened.get(name);
    const bytes = new Uint8Array(64).fill(7);
    const tookUs = [];
    for (let i = 0; i < count; i++) {
      bytes[0] = i & 255;
      bytes[1] = (i >> 8) & 255;
      bytes[2] = (i >> 16) & 255;
      const start = performance.now();
      const answer = await all('echo', [bytes]);
      tookUs.push((performance.now() - start) * 1000);
      check(answer, i);
    }
    return tookUs;
  },

  /** Jobs per second: `batches` of `jobs` empty ones each, every batch awaited. */
  async rate({ name, batches, jobs }) {
    const all = opened.get(name);
    const args = Array.from({ length: jobs }, (_, i) => i);
    const start = performance.now();
    for (let i = 0; i < batches; i++) check(await all('empty', args), jobs - 1);
    return (batches * jobs * 1000) / (performance.now() - start);
  },

  /**
   * A loop on the display's frames: in each it hands out `jobs` jobs of so many `steps` and waits for all of them. A
   * frame whose forerunner is unfinished is not begun. Tells what each begun frame took, from the callback on, how many
   * periods of the display went by, and in how many of them the page was not called.
   */
  async frames({ name, jobs, steps, seconds, hz }) {
    const all = opened.get(name);
    const args = Array(jobs).fill(steps);
    const tookMs = [];
    let isBusy = false;
    let taken = 0;
    let running = null;
    const startMs = performance.now();
    const endMs = startMs + seconds * 1000;
    await new Promise((resolve, reject) => {
      const onFrame = () => {
        const begunMs = performance.now();
        if (begunMs >= endMs) return resolve();
        requestAnimationFrame(onFrame);
        taken++;
        if (isBusy) return;
        isBusy = true;
        running = all('work', args).then((answer) => {
          check(answer, steps);
          tookMs.push(performance.now() - begunMs);
          isBusy = false;
        });
        running.catch(reject);
      };
      requestAnimationFrame(onFrame);
    });
    const periods = Math.round(((performance.now() - startMs) * hz) / 1000);
    await running;
    return { tookMs, periods, notTaken: Math.max(0, periods - taken) };
  },
};
