import { createScheduler } from 'frame-deadline';

const tasks = new URL('../tasks/echo.tasks.js', import.meta.url);

/** A scheduler of one lane, `jobs`, with `workers` equal workers. */
export async function benchScheduler({ workers = 1, spinUs = 0, priority = 'high', name = 'bench', ...options } = {}) {
  const { capacitySlots = 256, ...rest } = options;
  const scheduler = await createScheduler({
    lanes: { jobs: { tasks, load: () => import('../tasks/echo.tasks.js'), capacitySlots, deadlineMs: 1000 } },
    workers: [{ lanes: ['jobs'], count: workers, spinUs, priority, name }],
    ...rest,
  });
  return { scheduler, tasks: scheduler.lanes.jobs };
}

/** Runs `frames` frames of `jobs` empty jobs, each joined before the next begins. Returns the last job's outcome. */
export function runFrames(scheduler, task, frames, jobs, join, deadline = DEADLINE) {
  let last = null;
  for (let f = 0; f < frames; f++) {
    const frame = scheduler.beginFrame(deadline);
    for (let i = 0; i < jobs; i++) {
      task.input.x = i;
      last = frame.submit(task);
    }
    join(frame);
  }
  return last.outcome;
}

const DEADLINE = { deadlineMs: 1000 };

/** Waits asleep. */
export const joinAsleep = (frame) => frame.joinSync();
/** Waits awake. */
export const joinSpinning = (frame) => {
  while (!frame.poll());
};
const HELP = { help: true };
/** Runs jobs of the frame itself meanwhile. */
export const joinHelping = (frame) => frame.joinSync(HELP);
