// Nothing but a scheduler that serves its telemetry: it ends by itself.
import { createScheduler } from 'frame-deadline';

const scheduler = await createScheduler({
  lanes: { render: { tasks: new URL('./render.tasks.js', import.meta.url) } },
});
await scheduler.serveTelemetry({ path: process.argv[2] });
process.stdout.write('serving\n');
