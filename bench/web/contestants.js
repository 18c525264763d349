import { createScheduler } from 'frame-deadline';

// One worker each. `all(name, arguments)` runs one job per argument and resolves when every answer is there, with the
// last one.

const LONG = { deadlineMs: 60_000 };

async function frameDeadline() {
  const scheduler = await createScheduler({
    workerUrl: '/web-worker.js',
    supervisorUrl: '/web-supervisor.js',
    lanes: { jobs: { tasks: new URL('/work.tasks.js', location.href), capacitySlots: 512 } },
    workers: [{ lanes: ['jobs'] }],
  });
  const { echo, empty, work } = scheduler.lanes.jobs;
  const submit = {
    echo(frame, bytes) {
      echo.input.bytes.set(bytes);
      return frame.submit(echo);
    },
    empty(frame, x) {
      empty.input.x = x;
      return frame.submit(empty);
    },
    work(frame, steps) {
      work.input.steps = steps;
      return frame.submit(work);
    },
  };
  const answer = {
    echo: (job) => job.output.number,
    empty: (job) => job.output.y,
    work: (job) => job.output.steps,
  };
  return async (name, args) => {
    const frame = scheduler.beginFrame(LONG);
    let last = null;
    for (const argument of args) last = submit[name](frame, argument);
    await frame.join();
    if (last.outcome !== 'onTime') throw new Error(`the last job ended ${last.outcome}`);
    return answer[name](last);
  };
}

/** Messages by hand: one worker answers in order, so only the answers have to be counted. */
async function postMessage() {
  const worker = new Worker('/post-message.worker.js', { type: 'module' });
  let left = 0;
  let done = null;
  worker.onmessage = ({ data }) => {
    if (--left === 0) done(data);
  };
  return (name, args) =>
    new Promise((resolve) => {
      left = args.length;
      done = resolve;
      for (const argument of args) worker.postMessage([name, argument]);
    });
}

async function comlink() {
  const { wrap } = await import('comlink');
  const api = wrap(new Worker('/comlink.worker.js', { type: 'module' }));
  return async (name, args) => (await Promise.all(args.map((argument) => api[name](argument)))).at(-1);
}

export const contestants = { 'frame-deadline': frameDeadline, postMessage, comlink };
