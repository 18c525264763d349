import { MISS_CAUSES, OUTCOMES, REFUSALS } from '../telemetry/outcomes.js';
import { HISTOGRAMS, type HistogramName } from '../telemetry/recorder.js';
import type { LaneTelemetry, LoopTelemetry, TaskTelemetry, Telemetry } from '../telemetry/telemetry-data.js';
import type { Metric, MetricAttributes } from './opentelemetry-types.js';
import { hrTime } from './opentelemetry-types.js';
import { MetricWriter, type Sample } from './opentelemetry-writer.js';

const LANE = 'frame_deadline.lane.name';
const TASK = 'frame_deadline.task.name';
export const LOOP = 'frame_deadline.loop.id';
const WORKER = 'frame_deadline.worker.name';
const OUTCOME = 'frame_deadline.job.outcome';
export const CAUSE = 'frame_deadline.miss.cause';
const REASON = 'frame_deadline.refusal.reason';

const JOB_HISTOGRAMS: Record<HistogramName, [name: string, description: string]> = {
  wakeupUs: ['wakeup.duration', 'From ringing an idle worker to the start of the job.'],
  queueingUs: ['queueing.duration', 'From the release of a job to its start.'],
  executionUs: ['execution.duration', 'From the start of a job to its finish.'],
  responseUs: ['response.duration', 'From the release of a job to its finish.'],
  tardinessUs: ['tardiness.duration', 'From the deadline to the finish, of the jobs that missed it.'],
};

const LOOP_HISTOGRAMS = [
  ['tickErrorUs', 'tick.error', 'From the intended tick to the call of the frame.'],
  ['submittingUs', 'submitting.duration', 'From the intended tick to the end of submitting: the main thread alone.'],
  ['frameUs', 'frame.duration', 'From the intended tick to the finish of the last job of the frame.'],
  ['intervalUs', 'frame.interval', 'From the call of one frame to the call of the next.'],
] as const;

/**
 * The telemetry as OpenTelemetry metrics: sums, gauges and exponential histograms, durations in seconds. Pure.
 * @param startUnixMs when the counts began, in milliseconds since 1970; the same for every collection of a cumulative
 *   series
 */
export function metricsOf(telemetry: Telemetry, startUnixMs: number, temporality: 'cumulative' | 'delta'): Metric[] {
  const writer = new MetricWriter(hrTime(startUnixMs), hrTime(telemetry.toUnixMs), temporality);
  writeJobs(writer, telemetry.lanes);
  writeMissRuns(writer, telemetry.lanes);
  writeLoops(writer, telemetry.loops);
  writeWorkers(writer, telemetry);
  return writer.metrics;
}

function writeJobs(writer: MetricWriter, lanes: readonly LaneTelemetry[]): void {
  const tasks = lanes.flatMap((lane) =>
    lane.tasks.map((task) => [{ [LANE]: lane.name, [TASK]: task.name }, task] as const),
  );
  const each = <T>(value: (task: TaskTelemetry) => T): Sample<T>[] => tasks.map(([of, task]) => [of, value(task)]);
  const by = <K extends string>(name: string, keys: readonly K[], counts: (task: TaskTelemetry) => Record<K, number>) =>
    tasks.flatMap(([of, task]) => keys.map((key): Sample<number> => [{ ...of, [name]: key }, counts(task)[key]]));

  const job = 'frame_deadline.job';
  const submitted = 'Jobs submitted, the refused ones among them.';
  writer.counter(
    `${job}.submitted`,
    '{job}',
    submitted,
    each(({ submitted }) => submitted),
  );
  const refused = 'Jobs that were not accepted, by reason.';
  writer.counter(
    `${job}.refused`,
    '{job}',
    refused,
    by(REASON, REFUSALS, ({ refusals }) => refusals),
  );
  const ended = 'Accepted jobs that ended, by outcome.';
  writer.counter(
    `${job}.ended`,
    '{job}',
    ended,
    by(OUTCOME, OUTCOMES, ({ outcomes }) => outcomes),
  );
  const missed = 'Jobs unfinished at their deadline, by primary cause.';
  writer.counter(
    `${job}.missed`,
    '{job}',
    missed,
    by(CAUSE, MISS_CAUSES, ({ missCauses }) => missCauses),
  );
  writer.upDownCounter(
    `${job}.active`,
    '{job}',
    'Jobs accepted and not ended.',
    each(({ inFlight }) => inFlight),
  );
  for (const key of HISTOGRAMS) {
    const [name, description] = JOB_HISTOGRAMS[key];
    writer.histogram(
      `${job}.${name}`,
      description,
      each(({ histograms }) => histograms[key]),
    );
  }
  const deadline = 'Relative deadline of the task.';
  writer.gauge(
    'frame_deadline.task.deadline',
    's',
    deadline,
    each(({ deadlineUs }) => deadlineUs / 1e6),
  );
  const budgets = each(({ budgetUs }) => budgetUs).flatMap(([of, us]) =>
    us === null ? [] : [[of, us / 1e6] as const],
  );
  writer.gauge('frame_deadline.task.budget', 's', 'Execution budget that the task declares.', budgets);
}

function writeMissRuns(writer: MetricWriter, lanes: readonly LaneTelemetry[]): void {
  const each = (value: (runs: LaneTelemetry['missRuns']) => number): Sample<number>[] =>
    lanes.map((lane) => [{ [LANE]: lane.name }, value(lane.missRuns)]);
  const lane = 'frame_deadline.lane';
  // counted since the start even in a window, so none of them is a sum over the window
  const runs = 'Runs of one or more misses in a row, since the start.';
  writer.gauge(
    `${lane}.miss_run.total`,
    '{run}',
    runs,
    each(({ runs }) => runs),
  );
  const longest = 'Misses in the longest run, since the start.';
  writer.gauge(
    `${lane}.miss_run.longest`,
    '{job}',
    longest,
    each(({ longest }) => longest),
  );
  const met = 'Of the last jobs, how many met their deadline: m of (m,k).';
  writer.gauge(
    `${lane}.last_jobs.met`,
    '{job}',
    met,
    each(({ met }) => met),
  );
  const of = 'How many last jobs are looked at: k of (m,k).';
  writer.gauge(
    `${lane}.last_jobs.size`,
    '{job}',
    of,
    each(({ of }) => of),
  );
}

function writeLoops(writer: MetricWriter, loops: readonly LoopTelemetry[]): void {
  const each = <T>(value: (loop: LoopTelemetry) => T): Sample<T>[] =>
    loops.map((loop) => [{ [LOOP]: loop.id }, value(loop)]);
  const name = 'frame_deadline.loop';
  writer.gauge(
    `${name}.frequency`,
    'Hz',
    'Frames a second that the loop intends.',
    each(({ hz }) => hz),
  );
  writer.gauge(
    `${name}.deadline`,
    's',
    'Relative deadline of a frame.',
    each(({ deadlineUs }) => deadlineUs / 1e6),
  );
  const running = 'Loops that run: 1 or 0.';
  writer.upDownCounter(
    `${name}.running`,
    '{loop}',
    running,
    each(({ running }) => (running ? 1 : 0)),
  );
  const intended = 'Ticks that were due.';
  writer.counter(
    `${name}.tick.intended`,
    '{tick}',
    intended,
    each(({ intendedTicks }) => intendedTicks),
  );
  const dropped = loops.flatMap((loop) =>
    MISS_CAUSES.map((cause): Sample<number> => [{ [LOOP]: loop.id, [CAUSE]: cause }, loop.droppedCauses[cause]]),
  );
  writer.counter(`${name}.tick.dropped`, '{tick}', 'Ticks without a frame, by what held the main thread.', dropped);
  writer.counter(
    `${name}.frame.begun`,
    '{frame}',
    'Frames begun.',
    each(({ frames }) => frames),
  );
  const missed = 'Frames with a job that missed its deadline.';
  writer.counter(
    `${name}.frame.missed`,
    '{frame}',
    missed,
    each(({ missedFrames }) => missedFrames),
  );
  for (const [key, suffix, description] of LOOP_HISTOGRAMS) {
    writer.histogram(
      `${name}.${suffix}`,
      description,
      each((loop) => loop[key]),
    );
  }
}

function writeWorkers(writer: MetricWriter, { workers }: Telemetry): void {
  const states = workers.flatMap(({ name, state }) =>
    (['serving', 'restarting', 'gone'] as const).map(
      (of): Sample<number> => [{ [WORKER]: name, 'frame_deadline.worker.state': of }, of === state ? 1 : 0],
    ),
  );
  const one = 'Of the states of a worker the one that holds is 1.';
  writer.upDownCounter('frame_deadline.worker.status', '1', one, states);
  // since the start even in a window
  const jobs = workers.map(({ name, jobs }): Sample<number> => [{ [WORKER]: name }, jobs]);
  writer.gauge('frame_deadline.worker.jobs_ended', '{job}', 'Jobs that the worker ended, since the start.', jobs);
  const collecting = workers.flatMap(({ name, slackCollections }) =>
    slackCollections === undefined ? [] : [[name, slackCollections] as const],
  );
  writer.gauge(
    'frame_deadline.worker.slack_collections',
    '{collection}',
    'Garbage collections in slack time, since the start.',
    collecting.flatMap(([name, counts]) =>
      (['young', 'full'] as const).map(
        (of): Sample<number> => [{ [WORKER]: name, 'frame_deadline.gc.generation': of }, counts[of]],
      ),
    ),
  );
  writer.gauge(
    'frame_deadline.worker.slack_collection.duration',
    's',
    'Time that garbage collections in slack time took, since the start.',
    collecting.map(([name, { totalMs }]): Sample<number> => [{ [WORKER]: name }, totalMs / 1000]),
  );
  const facts = workers.map(({ name, lanes, priority, policy, niceness, cpus }): Sample<number> => {
    const known: MetricAttributes = { [WORKER]: name, 'frame_deadline.worker.lanes': lanes.join(',') };
    if (priority !== null) known['frame_deadline.worker.priority'] = priority;
    if (policy !== null) known['frame_deadline.worker.policy'] = policy;
    if (niceness !== null) known['frame_deadline.worker.niceness'] = niceness;
    if (cpus !== null) known['frame_deadline.worker.cpus'] = cpus.join(',');
    return [known, 1];
  });
  writer.gauge('frame_deadline.worker.info', '1', 'Priority and CPUs in force, in the attributes.', facts);
}
