import { setTimeout as sleep } from 'node:timers/promises';
import { FrameDeadlineError } from '../../../base/errors.js';
import { clockSince } from '../../../host/node/clock.js';
import { NodeThreadControl } from '../../../host/node/thread-control.js';
import type { Priority } from '../../../host/thread-control.js';
import { StreamRing } from '../../../ring/stream-ring.js';
import type { Description } from '../../../scheduler/describe.js';
import type { Snapshot } from '../../../scheduler/snapshot.js';
import type { LatencySummary } from '../../../telemetry/histogram-reader.js';
import type { JobTrace } from '../../../telemetry/job-trace-data.js';
import type { Telemetry } from '../../../telemetry/telemetry-data.js';
import type { ParameterChange } from '../audio/offline.js';
import type { DemoEvent } from '../events/event.js';
import { Hogs } from '../load/hogs.js';
import type { Sound } from '../prepare.js';
import { readChangeLog } from '../stage/change-log.js';
import { CONTROL, StageControl } from '../stage/control.js';
import { allocateStage, PICTURE_BUFFERS, type Stage } from '../stage/stage.js';
import type { LiveScreen } from '../terminal/live-screen.js';
import type { RecorderData, RecorderResult } from '../threads/recorder.js';
import type { SinkData, SinkResult } from '../threads/sink.js';
import { DemoThread } from '../threads/thread.js';
import { FrameRecorder } from './frame-recorder.js';
import { createDemoScheduler, type DemoScheduler } from './lanes.js';
import type { LatencyLog } from './latency-log.js';
import { LiveModelSource } from './live-model-source.js';
import type { MetricsServer } from './metrics-server.js';
import { Picture } from './picture.js';

const HZ = 60;
/** From a frame's intended tick. */
const FRAME_DEADLINE_MS = 16;
/** From the announcement of the start to the start: the sink must be waiting for it. */
const START_AHEAD_MS = 40;
const REHEARSED_FRAMES = 12;
const REHEARSAL_DEADLINE_MS = 10_000;
const FILL_TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 2;

export interface LiveOptions {
  readonly sound: Sound;
  readonly events: readonly DemoEvent[];
  readonly bufferBlocks: number;
  readonly renderWorkers: number | null;
  readonly usableCpus: number;
  readonly priority: Priority;
  readonly load: number;
  readonly wavPath: string;
  readonly trace: boolean;
  readonly hlog: boolean;
  /** Gets the telemetry while it runs, or null. */
  readonly metrics: MetricsServer | null;
  /** Path of the telemetry socket, or null. */
  readonly serve: string | null;
  readonly screen: LiveScreen | null;
  /** Ends the run before its time. */
  readonly signal: AbortSignal;
}

export interface LiveResult {
  readonly durationS: number;
  /** After the close: nothing is in flight. */
  readonly snapshot: Snapshot;
  readonly telemetry: Telemetry;
  /** Null if it was not asked for. */
  readonly trace: JobTrace | null;
  /** HdrHistogram log, or null. */
  readonly hlog: string | null;
  readonly description: Description;
  readonly sink: SinkResult;
  readonly changes: readonly ParameterChange[];
  readonly appliedEvents: number;
  readonly latencyUs: LatencySummary;
  /** RGBA of the last whole frame, or null. */
  readonly picture: Uint8Array | null;
}

/** Sound, input and picture in real time, until the sound is over or `signal` is aborted. Afterwards no thread or process of it is left. */
export async function runLive(options: LiveOptions): Promise<LiveResult> {
  const { sound, events, bufferBlocks } = options;
  const stage = allocateStage({ ...sound, events, bufferBlocks });
  const run = new LiveRun(options, stage);
  try {
    return await run.run();
  } finally {
    await run.dispose();
  }
}

function raiseMainThread(priority: Priority): void {
  new NodeThreadControl().apply({ name: 'frame-deadline', priority, cpus: null });
}

class LiveRun {
  private readonly options: LiveOptions;
  private readonly stage: Stage;
  private readonly control: StageControl;
  private readonly recorder: DemoThread<RecorderResult>;
  private readonly sink: DemoThread<SinkResult>;
  private readonly frames: FrameRecorder;
  private readonly end: AbortController;
  private readonly onAbort: () => void;
  private scheduler: DemoScheduler | null;
  private hogs: Hogs | null;
  private log: LatencyLog | null;

  constructor(options: LiveOptions, stage: Stage) {
    const { priority, wavPath, signal } = options;
    this.options = options;
    this.stage = stage;
    this.control = new StageControl(stage.control);
    const recorderData: RecorderData = { stage, path: wavPath };
    const sinkData: SinkData = { stage, priority: priority === 'normal' ? 'normal' : 'high' };
    this.recorder = new DemoThread(new URL('../threads/recorder.js', import.meta.url), 'recorder', recorderData);
    this.sink = new DemoThread(new URL('../threads/sink.js', import.meta.url), 'sink', sinkData);
    this.frames = new FrameRecorder(new Float64Array(stage.events.timesUs));
    this.end = new AbortController();
    this.onAbort = () => this.end.abort();
    if (signal.aborted) this.end.abort();
    signal.addEventListener('abort', this.onAbort);
    // a full disk must not go unnoticed until the end
    this.recorder.result.catch(this.onAbort);
    this.sink.result.catch(this.onAbort);
    this.scheduler = null;
    this.hogs = null;
    this.log = null;
  }

  async run(): Promise<LiveResult> {
    const { options, control, stage } = this;
    await Promise.all([this.recorder.ready, this.sink.ready]);
    const scheduler = await createDemoScheduler(stage, options);
    this.scheduler = scheduler;
    const picture = new Picture(scheduler, PICTURE_BUFFERS);
    await this.bufferFilled();
    await this.rehearse(scheduler, picture);
    options.metrics?.serve(scheduler);
    if (options.serve !== null) {
      const streams = { audio: StreamRing.attach(stage.sound) };
      await scheduler.serveTelemetry({ path: options.serve, name: 'frame-deadline demo', streams });
    }
    if (options.hlog) {
      const { LatencyLog } = await import('./latency-log.js');
      this.log = new LatencyLog(scheduler.telemetryWindow());
    }
    if (options.load > 0 && !this.end.signal.aborted) this.hogs = new Hogs(options.load);
    // so are frames begun in time beside the hogs, which do not inherit it any more
    if (options.priority !== 'normal') raiseMainThread(options.priority);
    const durationS = this.end.signal.aborted ? 0 : await this.play(scheduler, picture);
    // in time, the sink ends by itself after its last block
    if (durationS < options.sound.seconds) control.stop();
    const sink = await this.sink.result;
    await this.recorder.result;
    const description = await scheduler.refresh();
    await scheduler.close();
    await this.hogs?.end();
    const { lastPicture } = this.frames;
    return {
      durationS,
      snapshot: scheduler.snapshot(),
      telemetry: scheduler.telemetry(),
      trace: options.trace ? scheduler.jobTrace() : null,
      hlog: this.log?.text() ?? null,
      description,
      sink,
      changes: readChangeLog(stage.changeLog, control),
      appliedEvents: control.load(CONTROL.releasedEvents),
      latencyUs: this.frames.latencyUs(),
      picture: lastPicture < 0 ? null : new Uint8Array(stage.pixels[lastPicture]!),
    };
  }

  async dispose(): Promise<void> {
    this.options.signal.removeEventListener('abort', this.onAbort);
    this.control.stop();
    this.log?.stop();
    await this.hogs?.end();
    await this.scheduler?.close({ drainMs: 0 });
    await Promise.all([this.sink.end(), this.recorder.end()]);
  }

  /** A sound card is started with a full buffer. */
  private async bufferFilled(): Promise<void> {
    for (let waitedMs = 0; this.control.load(CONTROL.filled) === 0; waitedMs += LOOK_EVERY_MS) {
      if (this.end.signal.aborted) return;
      if (waitedMs > FILL_TIMEOUT_MS) {
        throw new FrameDeadlineError(
          'READY_TIMEOUT',
          `the audio lane did not fill the buffer in ${FILL_TIMEOUT_MS / 1000} s; use a sound with fewer channels or a lower rate`,
        );
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** The first frames find no compiled code on either side: these have all the time they need, and are not shown. */
  private async rehearse(scheduler: DemoScheduler, picture: Picture): Promise<void> {
    for (let n = 0; n < REHEARSED_FRAMES && !this.end.signal.aborted; n++) {
      const frame = scheduler.beginFrame({ deadlineMs: REHEARSAL_DEADLINE_MS });
      picture.submit(frame);
      await frame.join();
      scheduler.snapshot();
    }
  }

  /** Returns how many seconds of it there were. */
  private async play(scheduler: DemoScheduler, picture: Picture): Promise<number> {
    const { options, control, stage, frames, end } = this;
    const { screen, sound } = options;
    const clock = clockSince(stage.epochUs);
    const description = scheduler.describe();
    const models = new LiveModelSource(control, frames, description, options.bufferBlocks, sound.seconds);
    const startUs = clock.nowPreciseUs() + START_AHEAD_MS * 1000;
    control.startAt(startUs);
    await sleep(START_AHEAD_MS);
    const sinceStartUs = (): number => clock.nowPreciseUs() - startUs;
    let isOver = false;
    const onOver = (): void => {
      isOver = true;
      this.end.abort();
    };
    const timer = setTimeout(onOver, sound.seconds * 1000 - sinceStartUs() / 1000);
    let isLate = false;
    try {
      await scheduler.loop({ hz: HZ, deadlineMs: FRAME_DEADLINE_MS, signal: end.signal }, async (frame) => {
        // one frame is in flight at most: what was late before is whole now
        if (isLate) frames.joined(picture.buffer, control.load(CONTROL.sceneEvents), sinceStartUs());
        picture.submit(frame);
        isLate = !(await frame.join({ until: 'deadline' }));
        const nowUs = sinceStartUs();
        frames.took((FRAME_DEADLINE_MS - frame.timeToDeadlineMs()) * 1000);
        if (!isLate) frames.joined(picture.buffer, control.load(CONTROL.sceneEvents), nowUs);
        if (screen?.isDue) screen.update(models.model(scheduler.snapshot(), nowUs / 1e6));
      });
    } finally {
      clearTimeout(timer);
    }
    if (isOver) return sound.seconds;
    // a little less than all of it, however late the end was heard of
    return Math.max(0, Math.min(sinceStartUs() / 1e6, sound.seconds - 1e-3));
  }
}
