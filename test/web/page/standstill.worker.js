import { createScheduler } from '../../../dist/web.js';

// A host in a Web Worker: a timer drives its loop.
const scheduler = await createScheduler({
  lanes: { work: { tasks: new URL('./standstill.tasks.js', import.meta.url) } },
  workers: [{ lanes: ['work'] }],
});
void scheduler.loop({ hz: 50 }, async (frame) => {
  frame.submit(scheduler.lanes.work.twice, { x: 1 });
  await frame.join();
});
addEventListener('message', () => {
  const { frames, droppedTicks, pauses = null } = scheduler.telemetry().loops[0];
  postMessage({ frames, droppedTicks, pauses });
});
postMessage('ready');
