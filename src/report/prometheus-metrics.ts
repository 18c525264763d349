import { MISS_CAUSES, OUTCOMES, REFUSALS } from '../telemetry/outcomes.js';
import { HISTOGRAMS, type HistogramName } from '../telemetry/recorder.js';
import type { HistogramData, LoopTelemetry, TaskTelemetry, Telemetry } from '../telemetry/telemetry-data.js';
import { type ExpositionFormat, ExpositionWriter, type Labels } from './prometheus-text.js';

const HISTOGRAM_HELP: Record<HistogramName, string> = {
  wakeupUs: 'From ringing an idle worker to the start of the job.',
  queueingUs: 'From the release of a job to its start.',
  executionUs: 'From the start of a job to its finish.',
  responseUs: 'From the release of a job to its finish. The bucket at the deadline counts those in time.',
  tardinessUs: 'From the deadline to the finish, of the jobs that missed it.',
};

const LOOP_HISTOGRAMS = [
  ['tickErrorUs', 'tick_error', 'From the intended tick to the call of the frame.'],
  ['submittingUs', 'submitting', 'From the intended tick to the end of submitting: the main thread alone.'],
  ['frameUs', 'frame', 'From the intended tick to the finish of the last job of the frame.'],
  ['intervalUs', 'interval', 'From the call of one frame to the call of the next.'],
] as const;

/**
 * The telemetry in the text exposition format 0.0.4, or in OpenMetrics 1.0.0. Give it lifetime totals
 * (`scheduler.telemetry()`), not a window: Prometheus takes its own differences.
 *
 * Histograms are classic ones whose bounds are fixed by the task's deadline (a loop's: the frame's): 1/8, 1/4, 1/2, 3/4,
 * 1, 3/2, 2 and 4 times it, and 10 µs to 10 s in steps of 1, 2, 5. A value may be counted under a bound up to 1/128 too
 * late, never too early: nothing late counts as in time. Values above 10 s add 10 s to the sum. Pure; allocates a few
 * hundred KiB.
 */
export function prometheusText(telemetry: Telemetry, format: ExpositionFormat = 'prometheus'): string {
  const writer = new ExpositionWriter(format);
  const { runtime, platform, cpu } = telemetry.environment;
  writer.info('frame_deadline_environment', 'What the app runs on.', [{ runtime, platform, cpu: cpu ?? '' }]);
  writeJobs(writer, telemetry);
  writeMissRuns(writer, telemetry);
  writeLoops(writer, telemetry.loops);
  writeWorkers(writer, telemetry);
  return writer.end();
}

function writeJobs(writer: ExpositionWriter, { lanes }: Telemetry): void {
  const tasks = lanes.flatMap((lane) =>
    lane.tasks.map((task) => [{ lane: lane.name, task: task.name }, task] as const),
  );
  const each = (value: (task: TaskTelemetry) => number): [Labels, number][] =>
    tasks.map(([labels, task]) => [labels, value(task)]);
  const by = <K extends string>(
    label: string,
    keys: readonly K[],
    counts: (task: TaskTelemetry) => Record<K, number>,
  ) => tasks.flatMap(([labels, task]) => keys.map((key) => [{ ...labels, [label]: key }, counts(task)[key]] as const));

  const submitted = 'Jobs submitted, the refused ones among them.';
  writer.counter(
    'frame_deadline_jobs_submitted',
    submitted,
    each(({ submitted }) => submitted),
  );
  const refused = 'Jobs that were not accepted, by reason.';
  writer.counter(
    'frame_deadline_jobs_refused',
    refused,
    by('reason', REFUSALS, ({ refusals }) => refusals),
  );
  const ended = 'Accepted jobs that ended, by outcome.';
  writer.counter(
    'frame_deadline_jobs_ended',
    ended,
    by('outcome', OUTCOMES, ({ outcomes }) => outcomes),
  );
  const missed = 'Jobs unfinished at their deadline, by primary cause.';
  writer.counter(
    'frame_deadline_jobs_missed',
    missed,
    by('cause', MISS_CAUSES, ({ missCauses }) => missCauses),
  );
  writer.gauge(
    'frame_deadline_jobs_in_flight',
    'Jobs accepted and not ended.',
    each(({ inFlight }) => inFlight),
  );
  const deadline = 'Relative deadline of the task.';
  writer.gauge(
    'frame_deadline_task_deadline_seconds',
    deadline,
    each(({ deadlineUs }) => deadlineUs / 1e6),
  );
  const budgets = tasks.filter(([, task]) => task.budgetUs !== null);
  const budget = 'Execution budget that the task declares.';
  writer.gauge(
    'frame_deadline_task_budget_seconds',
    budget,
    budgets.map(([of, task]) => [of, task.budgetUs! / 1e6]),
  );
  for (const name of HISTOGRAMS) {
    const family = `frame_deadline_job_${name.slice(0, -'Us'.length)}_seconds`;
    const samples = tasks.map(([labels, task]): [Labels, HistogramData, number] => [
      labels,
      task.histograms[name],
      task.deadlineUs,
    ]);
    writer.histogram(family, HISTOGRAM_HELP[name], samples);
  }
}

function writeMissRuns(writer: ExpositionWriter, { lanes }: Telemetry): void {
  const each = (value: (runs: Telemetry['lanes'][number]['missRuns']) => number): [Labels, number][] =>
    lanes.map((lane) => [{ lane: lane.name }, value(lane.missRuns)]);
  writer.counter(
    'frame_deadline_lane_miss_runs',
    'Runs of one or more misses in a row.',
    each(({ runs }) => runs),
  );
  const longest = 'Misses in the longest run since the start.';
  writer.gauge(
    'frame_deadline_lane_longest_miss_run',
    longest,
    each(({ longest }) => longest),
  );
  const met = 'Of the last jobs, how many met their deadline: m of (m,k).';
  writer.gauge(
    'frame_deadline_lane_last_jobs_met',
    met,
    each(({ met }) => met),
  );
  const of = 'How many last jobs are looked at: k of (m,k).';
  writer.gauge(
    'frame_deadline_lane_last_jobs',
    of,
    each(({ of }) => of),
  );
}

function writeLoops(writer: ExpositionWriter, loops: readonly LoopTelemetry[]): void {
  const labelled = loops.map((loop) => [{ loop: String(loop.id) }, loop] as const);
  const each = (value: (loop: LoopTelemetry) => number): [Labels, number][] =>
    labelled.map(([labels, loop]) => [labels, value(loop)]);
  const name = 'frame_deadline_loop';
  writer.gauge(
    `${name}_frequency_hertz`,
    'Frames a second that the loop intends.',
    each(({ hz }) => hz),
  );
  writer.gauge(
    `${name}_deadline_seconds`,
    'Relative deadline of a frame.',
    each(({ deadlineUs }) => deadlineUs / 1e6),
  );
  writer.gauge(
    `${name}_running`,
    'Whether the loop runs: 1 or 0.',
    each(({ running }) => (running ? 1 : 0)),
  );
  writer.counter(
    `${name}_ticks_intended`,
    'Ticks that were due.',
    each(({ intendedTicks }) => intendedTicks),
  );
  const dropped = labelled.flatMap(([labels, loop]) =>
    MISS_CAUSES.map((cause) => [{ ...labels, cause }, loop.droppedCauses[cause]] as const),
  );
  writer.counter(`${name}_ticks_dropped`, 'Ticks without a frame, by what held the main thread.', dropped);
  writer.counter(
    `${name}_frames`,
    'Frames begun.',
    each(({ frames }) => frames),
  );
  const missed = 'Frames with a job that missed its deadline.';
  writer.counter(
    `${name}_frames_missed`,
    missed,
    each(({ missedFrames }) => missedFrames),
  );
  for (const [key, suffix, help] of LOOP_HISTOGRAMS) {
    const samples = labelled.map(([labels, loop]): [Labels, HistogramData, number] => [
      labels,
      loop[key],
      loop.deadlineUs,
    ]);
    writer.histogram(`${name}_${suffix}_seconds`, help, samples);
  }
}

function writeWorkers(writer: ExpositionWriter, { workers }: Telemetry): void {
  const jobs = workers.map((worker) => [{ worker: worker.name }, worker.jobs] as const);
  writer.counter('frame_deadline_worker_jobs', 'Jobs that the worker ended.', jobs);
  const states = workers.flatMap((worker) =>
    (['serving', 'restarting', 'gone'] as const).map(
      (state) => [{ worker: worker.name, state }, worker.state === state ? 1 : 0] as const,
    ),
  );
  writer.gauge('frame_deadline_worker_state', 'Of the states of a worker the one that holds is 1.', states);
  const facts = workers.map(({ name, lanes, priority, policy, niceness, cpus }) => ({
    worker: name,
    lanes: lanes.join(','),
    priority: priority ?? '',
    policy: policy ?? '',
    niceness: niceness === null ? '' : String(niceness),
    cpus: cpus === null ? '' : cpus.join(','),
  }));
  writer.info('frame_deadline_worker', 'Priority and CPUs in force; empty where nothing is known.', facts);
  const probes = workers.flatMap(({ name, probes }) =>
    (['preempted', 'gc', 'onCpu'] as const).map(
      (signal) => [{ worker: name, signal }, probes[signal].source === null ? 0 : 1] as const,
    ),
  );
  writer.gauge('frame_deadline_worker_signal_available', 'Whether misses can be told by this signal: 1 or 0.', probes);
  const collecting = workers.flatMap(({ name, slackCollections }) =>
    slackCollections === undefined ? [] : [[{ worker: name }, slackCollections] as const],
  );
  writer.counter(
    'frame_deadline_worker_slack_collections',
    'Garbage collections in slack time, by generation.',
    collecting.flatMap(([of, counts]) =>
      (['young', 'full'] as const).map((generation) => [{ ...of, generation }, counts[generation]] as const),
    ),
  );
  writer.counter(
    'frame_deadline_worker_slack_collection_seconds',
    'Time that garbage collections in slack time took.',
    collecting.map(([of, { totalMs }]) => [of, totalMs / 1000] as const),
  );
}
