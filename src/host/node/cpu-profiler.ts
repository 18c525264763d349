import { mkdirSync, writeFileSync } from 'node:fs';
import { console as inspectorConsole, Session } from 'node:inspector';
import { join } from 'node:path';
import type { Clock } from '../../base/time.js';
import { type CpuProfile, cutProfile, hotFunctions } from '../../telemetry/cpu-profile.js';
import type { FlightRecorder, FlightRecorderOptions, OverrunJob } from '../../worker/flight-recorder.js';

/** What of the time before the job goes into the file. */
const BEFORE_US = 100_000;
/** How old what is thrown away may get: bounds memory. */
const KEEP_US = 10_000_000;
const HOT_FUNCTIONS = 20;

/**
 * The inspector's CPU profiler of this thread, kept running; after an overrun the part around the job is written to a
 * `.cpuprofile` file that Chrome DevTools opens. The file also says in `frameDeadline` which job it was, and which
 * functions took its time.
 *
 * Beginning to profile takes 15 to 30 ms, since V8 lists all code that there is; only when the thread starts. Later one
 * profile is always running when another is begun, which is next to nothing. Cutting one takes milliseconds.
 */
export class CpuFlightRecorder implements FlightRecorder {
  private readonly options: FlightRecorderOptions;
  private readonly worker: string;
  private readonly clock: Clock;
  private readonly session: Session;
  private begunAtUs: number;
  private writtenAtUs: number | null;
  private keepers: number;
  private complained: boolean;

  /** @throws Error if the inspector is not to be had in this thread */
  constructor(options: FlightRecorderOptions, worker: string, clock: Clock) {
    this.options = options;
    this.worker = worker;
    this.clock = clock;
    this.session = new Session();
    this.session.connect();
    this.post('Profiler.enable');
    this.post('Profiler.setSamplingInterval', { interval: options.sampleUs });
    this.post('Profiler.start');
    this.keepers = 0;
    this.keep();
    this.begunAtUs = clock.nowUs();
    this.writtenAtUs = null;
    this.complained = false;
  }

  overran(job: OverrunJob): void {
    const nowUs = this.clock.nowUs();
    if (this.writtenAtUs !== null && ((nowUs - this.writtenAtUs) | 0) < this.options.everyS * 1e6) return;
    this.writtenAtUs = nowUs;
    try {
      this.write(job, this.begin());
    } catch (error) {
      if (!this.complained)
        console.error(`frame-deadline: no CPU profile of ${this.worker}: ${(error as Error).message}`);
      this.complained = true;
    }
  }

  beforePark(nowUs: number): void {
    if (((nowUs - this.begunAtUs) | 0) < KEEP_US) return;
    this.begin();
    this.keep();
  }

  /** Ends the running profile and begins the next one. */
  private begin(): CpuProfile {
    const { profile } = this.post('Profiler.stop') as { profile: CpuProfile };
    this.post('Profiler.start');
    this.begunAtUs = this.clock.nowUs();
    return profile;
  }

  /** A second profile, so that V8 goes on profiling when the first one ends. Replaced before it grows. */
  private keep(): void {
    this.keepers++;
    inspectorConsole.profile(`frame-deadline ${this.keepers}`);
    if (this.keepers > 1) inspectorConsole.profileEnd(`frame-deadline ${this.keepers - 1}`);
  }

  private write({ task, job, frame, startUs, finishUs }: OverrunJob, profile: CpuProfile): void {
    // V8's clock is the one that hrtime reads
    const hrtimeUs = Number(process.hrtime.bigint() / 1000n);
    const nowUs = this.clock.nowUs();
    const fromUs = hrtimeUs - ((nowUs - startUs) | 0);
    const toUs = hrtimeUs - ((nowUs - finishUs) | 0);
    const file = `${this.worker}-${task.lane.name}.${task.info.name}-${job}.cpuprofile`.replace(/[^\w.-]/g, '_');
    const frameDeadline = {
      worker: this.worker,
      lane: task.lane.name,
      task: task.info.name,
      job,
      frame: frame < 0 ? null : frame,
      executionUs: (finishUs - startUs) | 0,
      startTime: fromUs,
      endTime: toUs,
      hotFunctions: hotFunctions(profile, fromUs, toUs, HOT_FUNCTIONS),
    };
    mkdirSync(this.options.folder, { recursive: true });
    const whole = { ...cutProfile(profile, fromUs - BEFORE_US, toUs), frameDeadline };
    writeFileSync(join(this.options.folder, file), JSON.stringify(whole));
  }

  /** Synchronous: the inspector answers before `post` returns, in a thread that never yields too. */
  private post(method: string, parameters: object = {}): object {
    let answer: object = {};
    let failure: Error | null = null;
    this.session.post(method, parameters, (error: Error | null, result?: object) => {
      failure = error;
      answer = result ?? {};
    });
    if (failure !== null) throw new Error(`${method}: ${(failure as Error).message}`);
    return answer;
  }
}
