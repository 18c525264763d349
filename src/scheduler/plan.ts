import { FrameDeadlineError } from '../base/errors.js';
import { DEFAULT_DEADLINE_MS } from '../base/time.js';
import {
  ControlLayout,
  LANE_RELEASER,
  LANE_SERVERS,
  MAX_PAYLOAD_BYTES,
  WORKER_COLUMN,
  WORKER_PLACE,
} from '../memory/layout.js';
import { allocateBuffer } from '../memory/region.js';
import { layoutSchema, schemaFromDescription } from '../memory/schema-layout.js';
import { jobRingBytes } from '../ring/job-ring.js';
import { ERROR_RING_WORDS } from '../telemetry/error-ring.js';
import { TelemetryLayout } from '../telemetry/recorder.js';
import { type MemoryHandle, type RingHandle, slotsOf } from '../worker/attached-memory.js';
import type { LaneInfo, TaskInfo } from '../worker/task-runtime.js';
import type { NormalLane, NormalWorker } from './options.js';
import type { TaskDescription } from './protocol.js';

const PERIODIC_SLOTS = 8;
/** Time between the start and the first period, so that the workers are in their loops by then. */
const PERIODIC_START_US = 50_000;

/** All that is decided once the task modules are known: tasks, rings, memory. */
export interface Plan {
  readonly memory: MemoryHandle;
  readonly lanes: readonly LaneInfo[];
  readonly tasks: readonly TaskInfo[];
  readonly descriptions: readonly TaskDescription[];
  readonly bytes: { readonly rings: readonly number[]; readonly telemetry: number; readonly control: number };
}

/**
 * Lays out and allocates all shared memory.
 * @param tasksByLane what the modules gave, by lane index
 * @param nowUs now in microseconds since the epoch
 * @param traceJobs jobs that the trace keeps per thread
 * @param periodicStartUs from now to the first period of the periodic lanes
 * @param spareColumns by column beyond the workers': a worker whose place a spare in it may take
 */
export function makePlan(
  lanes: readonly NormalLane[],
  workers: readonly NormalWorker[],
  tasksByLane: readonly (readonly TaskDescription[])[],
  nowUs: number,
  shared: boolean,
  traceJobs: number,
  periodicStartUs: number = PERIODIC_START_US,
  spareColumns: readonly number[] = [],
): Plan {
  const tasks: TaskInfo[] = [];
  const descriptions: TaskDescription[] = [];
  const rings: RingHandle[] = [];
  const laneInfos: LaneInfo[] = [];
  const ringBytes: number[] = [];
  for (const lane of lanes) {
    let payloadBytes = 0;
    const first = tasks.length;
    for (const description of tasksByLane[lane.index]!) {
      const what = `${lane.name}.${description.name}`;
      const input = layoutSchema(schemaFromDescription(description.input), `input of ${what}`).byteLength;
      const output = layoutSchema(schemaFromDescription(description.output), `output of ${what}`).byteLength;
      if (input + output > MAX_PAYLOAD_BYTES) {
        throw new FrameDeadlineError(
          'PAYLOAD_TOO_LARGE',
          `input and output of ${what} take ${input + output} bytes, expected at most ${MAX_PAYLOAD_BYTES}; put large data in a SharedArrayBuffer of the lane's option \`shared\``,
        );
      }
      payloadBytes = Math.max(payloadBytes, input + output);
      const laneDeadlineMs = lane.deadlineMs ?? DEFAULT_DEADLINE_MS;
      tasks.push({
        index: tasks.length,
        lane: lane.index,
        name: description.name,
        deadlineUs: Math.round((description.deadlineMs ?? laneDeadlineMs) * 1000),
        budgetUs: description.budgetUs ?? 0,
        idempotent: description.idempotent,
        outputOffset: input,
        ...(lane.development === true ? { development: true } : {}),
      });
      descriptions.push(description);
    }
    let bytes = addRing(rings, lane, lane.capacitySlots, payloadBytes, false, shared);
    let periodic: LaneInfo['periodic'] = null;
    if (lane.periodic !== null) {
      const task = tasks.findIndex(
        (candidate) => candidate.lane === lane.index && candidate.name === lane.periodic!.task,
      );
      if (task < 0) {
        const known = tasks
          .slice(first)
          .map((candidate) => candidate.name)
          .join(', ');
        throw new FrameDeadlineError(
          'TASK_UNKNOWN',
          `lanes.${lane.name}.periodic.task is "${lane.periodic.task}", expected one of ${known}`,
        );
      }
      if (descriptions[task]!.input.length > 0) {
        throw new FrameDeadlineError(
          'SCHEMA_INVALID',
          `task ${lane.name}.${lane.periodic.task} is periodic and has input fields that nobody would write, expected input: {}; give it data by the lane's option \`shared\``,
        );
      }
      bytes += addRing(rings, lane, PERIODIC_SLOTS, payloadBytes, true, shared);
      const periodUs = lane.periodic.everyMs * 1000;
      const description = descriptions[task]!;
      const deadlineMs =
        description.deadlineMs ?? lane.deadlineMs ?? Math.min(DEFAULT_DEADLINE_MS, lane.periodic.everyMs);
      periodic = {
        task,
        ring: rings.length - 1,
        periodUs,
        deadlineUs: Math.round(deadlineMs * 1000),
        startUs: nowUs + periodicStartUs,
      };
    }
    ringBytes.push(bytes);
    const { index, name, onExpired, onFull, admission, importance, shared: given } = lane;
    laneInfos.push({ index, name, onExpired, onFull, admission, importance, periodic, shared: given });
  }
  const columnCount = workers.length + spareColumns.length;
  const control = new ControlLayout(slotsOf(rings), tasks.length);
  const telemetry = new TelemetryLayout(tasks.length, columnCount, traceJobs);
  const memory: MemoryHandle = {
    control: allocateBuffer(control.words * 4, shared),
    telemetry: allocateBuffer(telemetry.words * 4, shared),
    errors: allocateBuffer(telemetry.rowCount * ERROR_RING_WORDS * 4, shared),
    rings,
    workerCount: columnCount,
    taskCount: tasks.length,
    traceJobs,
  };
  const words = new Int32Array(memory.control);
  for (let column = 0; column < columnCount; column++) {
    words[control.worker(column) + WORKER_PLACE] = spareColumns[column - workers.length] ?? column;
  }
  workers.forEach((_, place) => {
    words[control.worker(place) + WORKER_COLUMN] = place;
  });
  for (const lane of lanes) {
    let servers = 0;
    workers.forEach((worker, index) => {
      if (worker.lanes.includes(lane.index)) servers |= 1 << index;
    });
    words[control.lane(lane.index) + LANE_SERVERS] = servers;
    words[control.lane(lane.index) + LANE_RELEASER] =
      workers.findIndex((worker) => worker.lanes.includes(lane.index)) + 1;
  }
  return {
    memory,
    lanes: laneInfos,
    tasks,
    descriptions,
    bytes: { rings: ringBytes, telemetry: telemetry.words * 4, control: control.words * 4 },
  };
}

function addRing(
  rings: RingHandle[],
  lane: NormalLane,
  capacitySlots: number,
  payloadBytes: number,
  periodic: boolean,
  shared: boolean,
): number {
  const { strideBytes, bytes } = jobRingBytes(capacitySlots, payloadBytes);
  rings.push({ lane: lane.index, periodic, capacitySlots, strideBytes, buffer: allocateBuffer(bytes, shared) });
  return bytes;
}
