// A game that drops frames for two reasons. The telemetry names both; docs/telemetry.md reads its output line by line.
//   node examples/find-a-stall/main.js            (--fixed: the same with both mended; report.html in the folder given by --out)
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createScheduler } from 'frame-deadline';
import { htmlReport } from 'frame-deadline/report';

const { values } = parseArgs({ options: { fixed: { type: 'boolean', default: false }, out: { type: 'string' } } });
const seconds = Number(process.env.EXAMPLE_SECONDS ?? 5);
const tasks = new URL('./render.tasks.js', import.meta.url);
const load = () => import('./render.tasks.js');

const scheduler = await createScheduler({
  lanes: { render: { tasks, load }, background: { tasks, load } },
  // mended: long jobs have a worker of their own
  workers: values.fixed
    ? [{ lanes: ['render'] }, { lanes: ['background'], priority: 'normal' }]
    : [{ lanes: ['render', 'background'] }],
});
const { tile } = scheduler.lanes.render;
const { bakeLight } = scheduler.lanes.background;
const save = { cells: Array.from({ length: 60_000 }, (_, i) => ({ i, name: `cell ${i}`, light: i / 7 })) };

/** @param {number} us */
const ms = (us) => `${(us / 1000).toFixed(1)} ms`;
scheduler.onMiss((miss) => {
  const { culprit } = miss;
  const who = culprit === null ? '' : `, behind ${culprit.lane}.${culprit.task} (${ms(culprit.executionUs)})`;
  console.log(
    `frame ${miss.frame}: ${miss.lane}.${miss.task} ${miss.outcome}, ${ms(miss.tardinessUs)} past its deadline: ${miss.cause}${who}`,
  );
});

let cell = 0;
await scheduler.loop({ hz: 60, signal: AbortSignal.timeout(seconds * 1000) }, async (frame) => {
  if (frame.number % 40 === 20) scheduler.submit(bakeLight).release();
  // autosave: all at once it holds this thread for two frames; mended, a slice each frame
  if (values.fixed) {
    for (const end = cell + 500; cell < end; cell++) JSON.stringify(save.cells[cell % save.cells.length]);
  } else if (frame.number % 100 === 50) JSON.parse(JSON.stringify(save));
  for (let index = 0; index < 2; index++) frame.submit(tile, { index });
  await frame.join({ until: 'deadline' });
});

const telemetry = scheduler.telemetry();
const [loop] = telemetry.loops;
const { missRuns } = telemetry.lanes[0];
console.log(
  `${loop.missedFrames + loop.droppedTicks} of ${loop.intendedTicks} frames missed, ${loop.droppedTicks} of them without a frame at all;`,
  `longest run of missed jobs ${missRuns.longest}; met ${missRuns.met} of the last ${missRuns.of}`,
);
if (values.out !== undefined) writeFileSync(join(values.out, 'report.html'), htmlReport(telemetry));
await scheduler.close();
