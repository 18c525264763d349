// A periodic task that throws in each of its periods; ends when there were some.
import { createScheduler } from 'frame-deadline';

const scheduler = await createScheduler({
  lanes: {
    a: { tasks: new URL('../tasks/throwing.tasks.js', import.meta.url), periodic: { task: 'beat', everyMs: 5 } },
  },
});
while (scheduler.snapshot().lanes.a.outcomes.failed < 5) await new Promise((resolve) => setTimeout(resolve, 5));
await scheduler.close();
