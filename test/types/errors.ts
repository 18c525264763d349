/**
 * Compile checks: `tsc -p test/tsconfig.json` fails if a wrong use compiles. Nothing here runs.
 */
import { bytes, createScheduler, FrameDeadlineError, f32, type Scheduler, task, u8, u32 } from 'frame-deadline';
import type * as renderTasks from './render.tasks.js';

type Render = typeof renderTasks;
const tasks = new URL('x:');
const load = () => import('./render.tasks.js');

export async function using(): Promise<void> {
  const scheduler = await createScheduler({ lanes: { render: { tasks, load } } });
  const { tile, text } = scheduler.lanes.render;
  await scheduler.loop({}, (frame) => {
    // @ts-expect-error a field is missing
    frame.submit(tile, { x: 0, y: 0 });
    // @ts-expect-error a field too many
    frame.submit(tile, { x: 0, y: 0, zoom: 1, w: 1 });
    // @ts-expect-error a string is no number
    frame.submit(tile, { x: '0', y: 0, zoom: 1 });
    // @ts-expect-error a BigInt is no number
    frame.submit(tile, { x: 0n, y: 0, zoom: 1 });
    // @ts-expect-error text is no bytes
    frame.submit(text, { glyphs: 'abc', at: [1, 2] });
    // @ts-expect-error a number is no array
    frame.submit(text, { glyphs: new Uint8Array(1), at: 1 });
    // @ts-expect-error another task's input
    frame.submit(text, { x: 0, y: 0, zoom: 1 });
    // @ts-expect-error the task itself is no handle
    frame.submit(task({ input: { x: f32 }, run() {} }), { x: 1 });
    // @ts-expect-error arrays are filled in place
    frame.submit(tile).output.pixels = new Uint8Array(1);
    // @ts-expect-error the output is not this task's
    frame.submit(text).output.pixels;
    // @ts-expect-error outcomes have names
    void (frame.submit(tile).outcome === 'ontime');
    // @ts-expect-error frames have no deadlines of their own in submit
    frame.submit(tile, { x: 0, y: 0, zoom: 1 }, { deadlineMs: 5 });
    // @ts-expect-error misspelt
    frame.joinSync({ untill: 'deadline' });
    // @ts-expect-error not one of them
    frame.joinSync({ until: 'end' });
    // @ts-expect-error `join` does not help
    frame.join({ help: true });
  });
  // @ts-expect-error no such task
  scheduler.lanes.render.tyle;
  // @ts-expect-error exported, but no task
  scheduler.lanes.render.tileSize;
  // @ts-expect-error no such lane
  scheduler.lanes.rendre;
  // @ts-expect-error inputs are numbers
  tile.input.x = '1';
  // @ts-expect-error no such field
  tile.input.w = 1;
  // @ts-expect-error arrays are filled in place
  text.input.at = new Int32Array(2);
  // @ts-expect-error the listener gets a miss
  scheduler.onMiss((miss: string) => miss);
  // @ts-expect-error no such field of a miss
  scheduler.onMiss((miss) => miss.tardinessMs);
  // @ts-expect-error misspelt
  scheduler.submit(tile, { x: 0, y: 0, zoom: 1 }, { deadlineMS: 5 });
  // @ts-expect-error misspelt
  scheduler.beginFrame({ deadlineUs: 5 });
  // @ts-expect-error misspelt
  await scheduler.close({ drainUs: 5 });
  // @ts-expect-error the callback gets a frame
  await scheduler.loop({ hz: 60 }, (frame: string) => void frame);
  // @ts-expect-error no such lane
  await scheduler.histogram('rendre', 'executionUs');
  // @ts-expect-error no such histogram
  await scheduler.histogram('render', 'executionMs');
  // @ts-expect-error codes are known
  new FrameDeadlineError('NO_SUCH_CODE', '');
}

export async function creating(): Promise<void> {
  // @ts-expect-error no lanes
  await createScheduler({});
  // @ts-expect-error a worker serves a lane that is not there
  await createScheduler({ lanes: { a: { tasks, load } }, workers: [{ lanes: ['b'] }] });
  // @ts-expect-error a worker without lanes
  await createScheduler({ lanes: { a: { tasks, load } }, workers: [{ count: 2 }] });
  // @ts-expect-error a misspelt option
  await createScheduler({ lanes: { a: { tasks, load } }, frameInFlight: 2 });
  // @ts-expect-error a misspelt option of a lane
  await createScheduler({ lanes: { a: { tasks, load, deadlineUs: 5 } } });
  // @ts-expect-error not a mode
  await createScheduler({ lanes: { a: { tasks, load } }, mode: 'process' });
  // @ts-expect-error not a priority
  await createScheduler({ lanes: { a: { tasks, load } }, workers: [{ lanes: ['a'], priority: 'urgent' }] });
  // @ts-expect-error not a task of the lane
  await createScheduler({ lanes: { a: { tasks, load, periodic: { task: 'tyle', everyMs: 5 } } } });
  // @ts-expect-error exported, but no task
  await createScheduler({ lanes: { a: { tasks, load, periodic: { task: 'tileSize', everyMs: 5 } } } });
  // @ts-expect-error a lane of the type is missing
  await createScheduler<{ a: Render; b: Render }>({ lanes: { a: { tasks } } });
  // @ts-expect-error a lane that the type does not have
  await createScheduler<{ a: Render }>({ lanes: { a: { tasks }, b: { tasks } } });
  // @ts-expect-error undefined is not the same as absent
  await createScheduler({ lanes: { a: { tasks, load } }, mode: undefined });
}

export function declaring(): void {
  task({
    input: { a: f32 },
    run(input) {
      // @ts-expect-error inputs are read only
      input.a = 1;
      // @ts-expect-error no such input
      void input.b;
    },
  });
  task({
    input: {},
    output: { a: u8.array(4) },
    run(_input, output, context) {
      // @ts-expect-error arrays are filled in place
      output.a = new Uint8Array(4);
      // @ts-expect-error the context has no such thing
      context.timeToDeadlineMs();
    },
  });
  task({
    input: {},
    run(_input, output) {
      // @ts-expect-error no output was declared
      output.a = 1;
    },
  });
  // @ts-expect-error a length is a number
  u32.array('4');
  // @ts-expect-error a length is needed
  bytes();
  // @ts-expect-error a string is no field
  task({ input: { a: 'f32' }, run() {} });
  // @ts-expect-error `run` is missing
  task({ input: { a: f32 } });
  // @ts-expect-error misspelt
  task({ input: { a: f32 }, budgetMs: 1, run() {} });
  // @ts-expect-error handles come from a scheduler
  const made: Scheduler<{ a: Render }>['lanes']['a'] = {};
  void made;
}
