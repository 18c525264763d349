/**
 * Compile checks: `tsc -p test/tsconfig.json` fails if a right use does not compile. Nothing here runs.
 */
import {
  type BytesView,
  createScheduler,
  type Description,
  type Frame,
  FrameDeadlineError,
  type Handles,
  type Job,
  type LatencySummary,
  type Miss,
  type MissCause,
  type Outcome,
  type Refusal,
  type Scheduler,
  type Snapshot,
  StreamRing,
  type Task,
  type TaskHandle,
} from 'frame-deadline';
import type * as renderTasks from './render.tasks.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type IsAny<T> = 0 extends 1 & T ? true : false;
function check<_ extends true>(): void {}
function isNotAny<T>(..._values: IsAny<T> extends true ? never : T[]): void {}

export async function main(draw: (pixels: Uint8Array) => void): Promise<void> {
  const scheduler = await createScheduler({
    lanes: {
      render: {
        tasks: new URL('./render.tasks.js', import.meta.url),
        load: () => import('./render.tasks.js'),
      },
    },
  });
  const { tile, text } = scheduler.lanes.render;
  scheduler.onMiss((miss) => console.warn(miss.task, miss.tardinessUs, miss.cause, miss.culprit?.task));
  await scheduler.loop({ hz: 60, signal: AbortSignal.timeout(5000) }, async (frame) => {
    const corner = frame.submit(tile, { x: 0, y: 0, zoom: 1 });
    tile.input.x = 64;
    tile.input.y = 0;
    tile.input.zoom = 1;
    const right = frame.submit(tile);
    frame.barrier();
    text.input.at.set([1, 2]);
    text.input.glyphs.set(new Uint8Array(3));
    frame.submit(text);
    frame.submit(text, { glyphs: new Uint8Array(1), at: [1, 2] });
    await frame.join({ until: 'deadline' });
    for (const job of [corner, right]) if (job.outcome === 'onTime') draw(job.output.pixels);
    const complete: boolean = frame.joinSync({ help: true, until: 'finished' });
    void complete;
  });
  await scheduler[Symbol.asyncDispose]();

  // what is inferred, from end to end
  check<Same<keyof typeof scheduler.lanes, 'render'>>();
  check<Same<keyof typeof scheduler.lanes.render, 'tile' | 'text'>>();
  isNotAny(tile, tile.input, tile.input.x, text.input.glyphs, text.input.at);
  check<Same<typeof tile.input.x, number>>();
  check<Same<typeof text.input.glyphs, BytesView>>();
  check<Same<typeof text.input.at, Int32Array<SharedArrayBuffer>>>();
  const job = scheduler.submit(tile, { x: 1, y: 2, zoom: 0.5 }, { deadlineMs: 5 });
  isNotAny(job, job.output, job.output.pixels, job.outcome, job.refused, job.error);
  check<Same<typeof job.output.pixels, Uint8Array<SharedArrayBuffer>>>();
  check<Same<typeof job.outcome, Outcome | 'pending' | 'refused'>>();
  check<Same<typeof job.refused, false | Refusal>>();
  const done = await job.done;
  check<Same<typeof done, typeof job>>();
  job.release();
  {
    using other = scheduler.submit(tile, { x: 1, y: 2, zoom: 0.5 });
    void other.cancel();
  }
  const frame: Frame = scheduler.beginFrame({ deadlineMs: 5 });
  check<Same<typeof frame.refused, false | 'framesInFlight'>>();
  await scheduler.close({ drainMs: 5 });
}

/** Hosts that must not load the module give its type. */
export async function explicit(): Promise<void> {
  const scheduler = await createScheduler<{ render: typeof import('./render.tasks.js'); again: typeof renderTasks }>({
    lanes: {
      render: { tasks: new URL('./render.tasks.js', import.meta.url) },
      again: { tasks: 'file:///render.tasks.js', periodic: { task: 'text', everyMs: 5 } },
    },
    workers: [
      { lanes: ['render', 'again'], count: 2, priority: 'realtime', cpus: [0], spinUs: 50 },
      { lanes: ['again'] },
    ],
  });
  check<Same<typeof scheduler.lanes.render, Handles<typeof renderTasks>>>();
  const handle: TaskHandle<(typeof renderTasks.tile)['input'], (typeof renderTasks.tile)['output']> =
    scheduler.lanes.render.tile;
  const job: Job<(typeof renderTasks.tile)['input'], (typeof renderTasks.tile)['output']> = scheduler.submit(handle);
  isNotAny(job.output.pixels);
  const kept: Scheduler<{ render: typeof renderTasks; again: typeof renderTasks }> = scheduler;
  await using disposed = kept;
  void disposed;
  check<Same<typeof renderTasks.tile extends Task<infer _I, infer _O> ? true : false, true>>();
}

/** Reports are plain data with units in their keys. */
export function reports(scheduler: Scheduler<{ render: typeof renderTasks }>): void {
  const snapshot: Snapshot = scheduler.snapshot();
  const lane = snapshot.lanes['render']!;
  isNotAny(lane, lane.tasks['tile'], lane.outcomes, lane.missCauses, lane.wakeupUs);
  const latencies: LatencySummary[] = [
    lane.wakeupUs,
    lane.queueingUs,
    lane.executionUs,
    lane.responseUs,
    lane.tardinessUs,
  ];
  const cause: MissCause = 'waitingBehind';
  const count: number = lane.missCauses[cause] + lane.outcomes.onTime + lane.refusals.full;
  const misses: readonly Miss[] = scheduler.recentMisses();
  const described: Description = scheduler.describe();
  const text: string = `${described} ${JSON.stringify(snapshot)} ${latencies.length} ${count} ${misses.length}`;
  const stop: () => void = scheduler.onMiss((miss: Miss) => isNotAny(miss.segments.gcUs, miss.culprit));
  stop();
  const error = new FrameDeadlineError('JOB_STALE', text);
  switch (error.code) {
    case 'JOB_STALE':
    case 'LANE_UNKNOWN':
      break;
    default:
      isNotAny(error.code);
  }
  isNotAny(StreamRing);
}
