// Saves of render.tasks.js are in service a moment later: no frame is lost, none is split between old and new code.
// Run it and change the file: node examples/hot-reload/main.js
import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createScheduler } from 'frame-deadline';

const tasks = new URL('./render.tasks.js', import.meta.url);
const scheduler = await createScheduler({
  lanes: { render: { tasks, load: () => import('./render.tasks.js') } },
});

// the folder, with what the module imports: editors that save by renaming leave a watched file behind
/** @type {NodeJS.Timeout | undefined} */
let timer;
const watcher = watch(dirname(fileURLToPath(tasks)), (_, file) => {
  if (file !== null && !file.endsWith('.js')) return;
  clearTimeout(timer);
  timer = setTimeout(reload, 50);
});

async function reload() {
  try {
    const { workers, loadMs, switchMs } = await scheduler.reload('render');
    console.log(
      `reloaded ${workers.join(', ')}: ${Math.round(loadMs)} ms to load, ${switchMs.toFixed(1)} ms to switch`,
    );
  } catch (error) {
    // the old code runs on
    console.error(String(error));
  }
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const seconds = Number(process.env.EXAMPLE_SECONDS ?? 0);
if (seconds > 0) setTimeout(() => stop.abort(), seconds * 1000);

let last = '';
await scheduler.loop({ hz: 60, signal: stop.signal }, async (frame) => {
  const rows = [];
  for (let y = 0; y < 4; y++) rows.push(frame.submit(scheduler.lanes.render.row, { y, frame: frame.number }));
  if (!(await frame.join()) || rows.some((row) => row.refused !== false)) return;
  const shown = `${rows.map((row) => row.output.brightness.toFixed(2)).join(' ')}`;
  if (frame.number % 60 === 0 && shown !== last) console.log(`frame ${frame.number}: ${shown}`);
  last = shown;
});
clearTimeout(timer);
watcher.close();
await scheduler.close();
