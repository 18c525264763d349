/**
 * The form of `Telemetry` as JSON Schema 2020-12. `telemetry.schema.json` beside this file holds the same as a file,
 * exported as `frame-deadline/telemetry.schema.json`. Members that are not listed are allowed: later versions may add
 * some without a new `schemaVersion`.
 */
import { BUCKET_COUNT } from '../telemetry/buckets.js';
import { MISS_CAUSES, OUTCOMES, REFUSALS } from '../telemetry/outcomes.js';
import { HISTOGRAMS } from '../telemetry/recorder.js';
import type { JsonSchema } from './json-schema.js';

const count: JsonSchema = { type: 'integer', minimum: 0 };
const us: JsonSchema = { type: 'number', minimum: 0 };
const moment: JsonSchema = { type: 'number' };
const text: JsonSchema = { type: 'string' };
const cause: JsonSchema = { enum: MISS_CAUSES };
const histogram: JsonSchema = { $ref: '#/$defs/histogram' };

function orNull(type: 'string' | 'number' | 'integer', rest: JsonSchema = {}): JsonSchema {
  return { type: [type, 'null'], ...rest };
}

/** All members required. */
function object(properties: Record<string, JsonSchema>, description?: string): JsonSchema {
  const schema: JsonSchema = { type: 'object', required: Object.keys(properties), properties };
  return description === undefined ? schema : { description, ...schema };
}

function list(items: JsonSchema): JsonSchema {
  return { type: 'array', items };
}

function countsOf(keys: readonly string[]): JsonSchema {
  return object(Object.fromEntries(keys.map((key) => [key, count])));
}

const cpus = list(count);
const probe: JsonSchema = { $ref: '#/$defs/probe' };

const task = object({
  name: text,
  deadlineUs: us,
  budgetUs: orNull('number', { minimum: 0 }),
  submitted: count,
  accepted: count,
  refused: count,
  refusals: countsOf(REFUSALS),
  inFlight: count,
  outcomes: countsOf(OUTCOMES),
  misses: count,
  missCauses: countsOf(MISS_CAUSES),
  histograms: object(Object.fromEntries(HISTOGRAMS.map((name) => [name, histogram]))),
});

const laneAlways = object({
  name: text,
  periodUs: orNull('number', { exclusiveMinimum: 0 }),
  tasks: list(task),
  missRuns: countsOf(['runs', 'longest', 'met', 'of']),
});

/** Members that are absent where they say nothing. */
function withOptional(schema: JsonSchema, properties: Record<string, JsonSchema>): JsonSchema {
  return { ...schema, properties: { ...schema.properties, ...properties } };
}

const lane = withOptional(laneAlways, { pauses: object({ count, totalMs: us }) });

const pauses = object({
  count,
  totalMs: us,
  now: { enum: ['hidden', null] },
});

const loopAlways = object({
  id: count,
  hz: { type: 'number', exclusiveMinimum: 0 },
  deadlineUs: us,
  running: { type: 'boolean' },
  intendedTicks: count,
  droppedTicks: count,
  frames: count,
  missedFrames: count,
  droppedCauses: countsOf(MISS_CAUSES),
  tickErrorUs: histogram,
  submittingUs: histogram,
  frameUs: histogram,
  intervalUs: histogram,
});
const loop = withOptional(loopAlways, { pauses });

const workerAlways = object({
  name: text,
  lanes: list(text),
  state: { enum: ['serving', 'restarting', 'gone'] },
  jobs: count,
  running: { anyOf: [{ type: 'null' }, object({ lane: text, task: text, forUs: us })] },
  priority: orNull('string'),
  cpus: { anyOf: [{ type: 'null' }, cpus] },
  policy: orNull('string'),
  niceness: orNull('integer'),
  probes: object({ preempted: probe, gc: probe, onCpu: probe }),
});
const worker = withOptional(workerAlways, { slackCollections: object({ young: count, full: count, totalMs: us }) });

const culprit = object({
  kind: { enum: ['job', 'mainThread'] },
  lane: text,
  task: text,
  job: orNull('integer', { minimum: 0 }),
  frame: orNull('integer', { minimum: 0 }),
  executionUs: us,
});

const miss = object({
  lane: text,
  task: text,
  worker: orNull('string'),
  job: orNull('integer', { minimum: 0 }),
  frame: orNull('integer', { minimum: 0 }),
  outcome: { enum: OUTCOMES },
  cause,
  causes: list(cause),
  flags: list(text),
  submitAtUs: moment,
  releaseAtUs: moment,
  startAtUs: orNull('number'),
  finishAtUs: moment,
  deadlineAtUs: moment,
  tardinessUs: { type: 'number' },
  segments: object({
    wakeupUs: us,
    waitingBehindUs: us,
    gcUs: orNull('number', { minimum: 0 }),
    preemptedUs: orNull('number', { minimum: 0 }),
    onCpuUs: orNull('number', { minimum: 0 }),
    unattributedUs: { type: 'number' },
  }),
  lateSubmitUs: us,
  culprit: { anyOf: [{ type: 'null' }, culprit] },
  periods: { type: 'integer', minimum: 1 },
});

const frame = object({
  loop: { type: 'integer', minimum: -1 },
  number: count,
  outcome: { enum: ['onTime', 'late', 'dropped'] },
  tickAtUs: moment,
  calledAtUs: orNull('number'),
  submittedAtUs: orNull('number'),
  finishedAtUs: orNull('number'),
  deadlineAtUs: moment,
  jobs: count,
  misses: count,
  ticks: { type: 'integer', minimum: 1 },
});

/** JSON Schema 2020-12 of `Telemetry`. Frozen only by convention: do not change it. */
export const telemetrySchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'frame-deadline/telemetry.schema.json',
  title: 'Telemetry of frame-deadline',
  description:
    'Durations and moments are in microseconds unless the name says otherwise; moments count from the epoch of the scheduler. A signal that is not to be had is null, never 0.',
  ...object({
    schemaVersion: { const: 1 },
    fromUs: moment,
    toUs: moment,
    toUnixMs: moment,
    environment: object({ runtime: text, platform: text, cpu: orNull('string'), allowedCpus: cpus }),
    lanes: list({ $ref: '#/$defs/lane' }),
    loops: list({ $ref: '#/$defs/loop' }),
    workers: list({ $ref: '#/$defs/worker' }),
    misses: list({ $ref: '#/$defs/miss' }),
    missesOverwritten: count,
    frames: list({ $ref: '#/$defs/frame' }),
    framesOverwritten: count,
  }),
  $defs: {
    histogram: object(
      {
        count,
        sumUs: us,
        buckets: list({
          type: 'array',
          prefixItems: [
            { type: 'integer', minimum: 0, maximum: BUCKET_COUNT - 1 },
            { type: 'integer', minimum: 1 },
          ],
          items: false,
          minItems: 2,
        }),
        overflow: count,
      },
      'Counts by bucket, [index, count], ascending, without empty ones: the indexes of HdrHistogram with 2 significant digits in ticks of 1.024 µs, to 10 s.',
    ),
    probe: object({ source: orNull('string'), reason: orNull('string') }),
    lane,
    loop,
    worker,
    miss,
    frame,
  },
};
