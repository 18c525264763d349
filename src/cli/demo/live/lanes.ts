import type { Priority } from '../../../host/thread-control.js';
import { createScheduler } from '../../../index.js';
import type { Scheduler } from '../../../scheduler/scheduler.js';
import { BLOCK_SAMPLE_FRAMES } from '../audio/parameters.js';
import type { Stage } from '../stage/stage.js';

const READY_TIMEOUT_MS = 60_000;
const INPUT_EVERY_MS = 1;
/** The last 16 s of the busiest lane, input at 1 kHz. */
const TRACED_JOBS = 16_384;

// a type and not an interface: only that counts as a record
export type LaneModules = {
  audio: typeof import('../tasks/audio.tasks.js');
  input: typeof import('../tasks/input.tasks.js');
  render: typeof import('../tasks/render.tasks.js');
};
export type DemoScheduler = Scheduler<LaneModules>;

export interface PlacementOptions {
  /** null: by the CPUs. */
  readonly renderWorkers: number | null;
  readonly usableCpus: number;
  readonly priority: Priority;
  /** Whether every job of a short run is to be kept for the trace. */
  readonly trace: boolean;
}

/** Three lanes: audio and input periodic, each on a worker of its own, render on as many as there are CPUs for. */
export function createDemoScheduler(stage: Stage, options: PlacementOptions): Promise<DemoScheduler> {
  const { priority } = options;
  const { channels, sampleRateHz } = stage.audio;
  const audioModule = new URL('../tasks/audio.tasks.js', import.meta.url);
  audioModule.searchParams.set('channels', String(channels));
  audioModule.searchParams.set('sampleRateHz', String(sampleRateHz));
  const shared = { stage };
  return createScheduler<LaneModules>({
    lanes: {
      audio: {
        tasks: audioModule,
        periodic: { task: 'block', everyMs: (BLOCK_SAMPLE_FRAMES / sampleRateHz) * 1000 },
        shared,
      },
      input: {
        tasks: new URL('../tasks/input.tasks.js', import.meta.url),
        periodic: { task: 'poll', everyMs: INPUT_EVERY_MS },
        shared,
      },
      render: { tasks: new URL('../tasks/render.tasks.js', import.meta.url), shared },
    },
    workers: [
      { name: 'audio', lanes: ['audio'], priority },
      { name: 'input', lanes: ['input'], priority },
      {
        name: 'render',
        lanes: ['render'],
        priority,
        count: options.renderWorkers ?? renderWorkers(options.usableCpus),
      },
    ],
    // the scene goes from frame to frame, and there is one buffer to draw in beside the one that is shown
    framesInFlight: 1,
    readyTimeoutMs: READY_TIMEOUT_MS,
    ...(options.trace ? { trace: { jobsPerThread: TRACED_JOBS } } : {}),
  });
}

/** All CPUs but one, which audio, input and the host share; more than 4 find too little to do. */
function renderWorkers(usableCpus: number): number {
  return Math.min(4, Math.max(1, usableCpus - 1));
}
