// An app that serves its telemetry: node app.js PATH [how it ends]
import { createScheduler, StreamRing } from 'frame-deadline';

const [path, ends = 'never'] = process.argv.slice(2);
const ring = StreamRing.allocate({ kind: 'f32', channels: 1, capacitySampleFrames: 128 });
const scheduler = await createScheduler({
  lanes: {
    audio: { tasks: new URL('./app.tasks.js', import.meta.url), periodic: { task: 'block', everyMs: 5 } },
    render: { tasks: new URL('./render.tasks.js', import.meta.url) },
  },
  workers: [{ lanes: ['audio'] }, { lanes: ['render'] }],
});
await scheduler.serveTelemetry({ path, name: 'app\u001b[31m.js', streams: { audio: ring } });
// one sample frame where 64 are wanted: one underrun
ring.producer().write(new Float32Array(1), 0, 1);
ring.consumer().pull(new Float32Array(64), 0, 64);
process.stdout.write('serving\n');
if (ends === 'exit') process.exit(0);
if (ends === 'close') await scheduler.close();
if (ends === 'closeLater') {
  setTimeout(() => void scheduler.close(), 1500);
  setTimeout(() => {}, 20_000);
}
if (ends === 'never') {
  await scheduler.loop({ hz: 60 }, async (frame) => {
    for (let i = 0; i < 4; i++) frame.submit(scheduler.lanes.render.tile, {});
    await frame.join();
  });
}
