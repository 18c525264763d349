/**
 * Compile checks: `tsc -p test/tsconfig.json` fails if a right use does not compile, or a wrong one does. Nothing here runs.
 * Lanes without `load` (README: the studio): names and fields of their tasks are not known to TypeScript.
 */
import { createScheduler, type Handles, type Scheduler, type TaskHandle } from 'frame-deadline';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function check<_ extends true>(): void {}

export async function studio(): Promise<void> {
  const studio = await createScheduler({
    lanes: {
      audio: {
        tasks: new URL('./audio.tasks.js', import.meta.url),
        periodic: { task: 'block', everyMs: 2.667 },
        shared: { samples: new SharedArrayBuffer(65_536) },
      },
      render: { tasks: new URL('./render.tasks.js', import.meta.url) },
    },
    workers: [{ lanes: ['audio'] }, { lanes: ['render'], count: 2 }],
  });
  console.log(String(studio.describe()));
  check<Same<keyof typeof studio.lanes, 'audio' | 'render'>>();
  check<Same<typeof studio.lanes.render, Handles<unknown>>>();

  const { tile } = studio.lanes.render;
  tile.input.x = 64;
  studio.submit(tile);
  const job = studio.submit(studio.lanes.render.tile, { x: 0, y: 0, zoom: 1, glyphs: new Uint8Array(4), at: [1, 2] });
  await job.done;
  const pixels = job.output.pixels as Uint8Array;
  const { sum } = job.output;
  if (typeof sum === 'number') pixels[0] = sum + 1;
  const frame = studio.beginFrame();
  const framed = frame.submit(tile, { x: 0, y: 0, zoom: 1 });
  void framed.error?.code;
  studio.onMiss((miss) => console.warn(miss.task));

  // @ts-expect-error no such lane
  studio.lanes.rendre;
  // @ts-expect-error text is no value of a field
  studio.submit(tile, { x: 'a' });
  // @ts-expect-error a number or an array: it is to be narrowed first
  job.output.pixels.length;
  // @ts-expect-error a name is needed
  await createScheduler({ lanes: { audio: { tasks: 'file:///a.js', periodic: { task: 5, everyMs: 1 } } } });
  await studio.close();
}

/** A lane with `load` beside one without keeps its types. */
export async function mixed(): Promise<void> {
  const scheduler = await createScheduler({
    lanes: {
      audio: { tasks: 'file:///audio.tasks.js', periodic: { task: 'block', everyMs: 5 } },
      render: { tasks: 'file:///render.tasks.js', load: () => import('./render.tasks.js') },
    },
  });
  check<Same<keyof typeof scheduler.lanes.render, 'tile' | 'text'>>();
  // @ts-expect-error a field is missing
  scheduler.submit(scheduler.lanes.render.tile, { x: 0 });
  // @ts-expect-error no such task
  scheduler.lanes.render.tyle;
}

/** Whoever takes any scheduler takes each. */
export function any(
  typed: Scheduler<{ render: typeof import('./render.tasks.js') }>,
  loose: Scheduler<{ render: unknown }>,
): TaskHandle {
  const schedulers: Scheduler[] = [typed, loose];
  const handle: TaskHandle = typed.lanes.render.tile;
  return schedulers[0]?.lanes['render']?.['tile'] ?? handle;
}
