import { HistogramReader } from '../../src/telemetry/histogram-reader.js';
import {
  MISS_CAUSES,
  type MissCause,
  OUTCOMES,
  type Outcome,
  REFUSALS,
  type Refusal,
} from '../../src/telemetry/outcomes.js';
import { HISTOGRAMS, type HistogramName } from '../../src/telemetry/recorder.js';
import { HISTOGRAM_WORDS, recordUs } from '../../src/telemetry/shared-histogram.js';
import {
  type HistogramData,
  histogramData,
  type LaneTelemetry,
  type Miss,
  type TaskTelemetry,
} from '../../src/telemetry/telemetry-data.js';

/** A record with a 0 for each key. */
export function zeroes<K extends string>(keys: readonly K[]): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;
}

/** A histogram filled by the package's own recording, read by its own reader. */
export class Samples {
  private readonly words = new Int32Array(HISTOGRAM_WORDS);
  record(us: number): void {
    recordUs(this.words, 0, us);
  }
  data(): HistogramData {
    return histogramData(new HistogramReader([{ words: this.words, base: 0 }]).total());
  }
}

/** One task's counts and histograms, kept so that they agree with each other. */
export class FixtureTask {
  readonly name: string;
  readonly deadlineUs: number;
  readonly budgetUs: number | null;
  readonly refusals = zeroes<Refusal>(REFUSALS);
  readonly outcomes = zeroes<Outcome>(OUTCOMES);
  readonly missCauses = zeroes<MissCause>(MISS_CAUSES);
  readonly samples = Object.fromEntries(HISTOGRAMS.map((name) => [name, new Samples()])) as Record<
    HistogramName,
    Samples
  >;
  misses = 0;
  inFlight = 0;

  constructor(name: string, deadlineUs: number, budgetUs: number | null) {
    this.name = name;
    this.deadlineUs = deadlineUs;
    this.budgetUs = budgetUs;
  }

  end(outcome: Outcome, cause: MissCause | null, jobs = 1): void {
    this.outcomes[outcome] += jobs;
    if (cause === null) return;
    this.misses += jobs;
    this.missCauses[cause] += jobs;
  }

  read(): TaskTelemetry {
    const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
    const accepted = sum(this.outcomes) + this.inFlight;
    const refused = sum(this.refusals);
    return {
      name: this.name,
      deadlineUs: this.deadlineUs,
      budgetUs: this.budgetUs,
      submitted: accepted + refused,
      accepted,
      refused,
      refusals: { ...this.refusals },
      inFlight: this.inFlight,
      outcomes: { ...this.outcomes },
      misses: this.misses,
      missCauses: { ...this.missCauses },
      histograms: Object.fromEntries(HISTOGRAMS.map((name) => [name, this.samples[name].data()])) as Record<
        HistogramName,
        HistogramData
      >,
    };
  }
}

/** One lane: its tasks, its misses and their runs, in the order of submission. */
export class FixtureLane {
  readonly name: string;
  readonly periodUs: number | null;
  readonly tasks: FixtureTask[];
  readonly misses: Miss[] = [];
  jobs = 0;
  private runs = 0;
  private longest = 0;
  private run = 0;
  private readonly last: boolean[] = [];

  constructor(name: string, periodUs: number | null, tasks: FixtureTask[]) {
    this.name = name;
    this.periodUs = periodUs;
    this.tasks = tasks;
  }

  /** Counts one more job of the lane as met or missed. */
  follow(met: boolean): void {
    this.last.push(met);
    if (this.last.length > 100) this.last.shift();
    if (met) this.run = 0;
    else {
      if (this.run === 0) this.runs++;
      this.run++;
      this.longest = Math.max(this.longest, this.run);
    }
  }

  read(): LaneTelemetry {
    return {
      name: this.name,
      periodUs: this.periodUs,
      tasks: this.tasks.map((task) => task.read()),
      missRuns: {
        runs: this.runs,
        longest: this.longest,
        met: this.last.filter((met) => met).length,
        of: this.last.length,
      },
    };
  }
}
