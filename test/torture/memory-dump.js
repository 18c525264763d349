import {
  CONTROL_CLOSING,
  CONTROL_SWITCHING,
  FRAME_HELD,
  FRAME_OPEN,
  FRAME_SLOT_COUNT,
  LANE_RELEASER,
  LANE_SERVERS,
  OWNER_NONE,
  ownerOf,
  SLOT_FLAGS,
  SLOT_FRAME,
  SLOT_STAGE,
  SLOT_STATE,
  SLOT_TASK,
  STATUS_DONE,
  STATUS_FREE,
  statusOf,
  WORKER_BELL,
  WORKER_COLUMN,
  WORKER_COMMAND,
  WORKER_CURRENT_TASK,
  WORKER_ENDED_LIVES,
  WORKER_PLACE,
} from '../../dist/memory/layout.js';

const STATUSES = ['free', 'writing', 'waiting', 'ready', 'running', 'done'];

/** A scheduler's shared memory in words: what is live and who is to do something about it. Any thread. */
export function memoryDump(
  /** @type {import('../../dist/worker/attached-memory.js').AttachedMemory} */ memory,
  /** @type {readonly string[]} */ tasks,
) {
  const { control, layout, frames } = memory;
  const lines = [`closing ${control[CONTROL_CLOSING]}, switching ${control[CONTROL_SWITCHING]}`];
  for (let column = 0; column < memory.workerCount; column++) {
    const base = layout.worker(column);
    const word = (/** @type {number} */ offset) => /** @type {number} */ (control[base + offset]);
    const bell = ['awake', 'parked', 'rung'][word(WORKER_BELL)] ?? word(WORKER_BELL);
    const running = tasks[word(WORKER_CURRENT_TASK) - 1] ?? 'nothing';
    lines.push(
      `column ${column}: serves as ${word(WORKER_PLACE)}, place ${column} is column ${word(WORKER_COLUMN)}, bell ${bell}, command ${word(WORKER_COMMAND)}, lives ended ${word(WORKER_ENDED_LIVES)}, runs ${running}`,
    );
  }
  const lanes = new Set(memory.ringHandles.map(({ lane }) => lane));
  for (const lane of lanes) {
    const base = layout.lane(lane);
    lines.push(
      `lane ${lane}: servers ${control[base + LANE_SERVERS]?.toString(2)}, releaser ${control[base + LANE_RELEASER]}`,
    );
  }
  for (let frame = 0; frame < FRAME_SLOT_COUNT; frame++) {
    const closed = frames.stagesClosed(frame);
    const complete = frames.stagesComplete(frame);
    const base = layout.frame(frame);
    if (closed === complete && control[base + FRAME_OPEN] === 0) continue;
    lines.push(
      `frame ${frame}: stages closed ${closed}, complete ${complete}, ended jobs ${frames.endedJobs(frame)}, open ${control[base + FRAME_OPEN]}, held ${control[base + FRAME_HELD]}`,
    );
  }
  memory.rings.forEach((ring, index) => {
    for (let slot = 0; slot < ring.capacitySlots; slot++) {
      const base = ring.slotBase(slot);
      const state = /** @type {number} */ (ring.i32[base + SLOT_STATE]);
      const status = statusOf(state);
      if (status === STATUS_FREE || status === STATUS_DONE) continue;
      const owner = ownerOf(state) === OWNER_NONE ? '' : `, owner ${ownerOf(state)}`;
      const task = tasks[/** @type {number} */ (ring.i32[base + SLOT_TASK])];
      lines.push(
        `ring ${index} slot ${slot}: ${STATUSES[status]}${owner}, ${task}, frame ${Number(ring.i32[base + SLOT_FRAME]) - 1} stage ${ring.i32[base + SLOT_STAGE]}, flags ${ring.i32[base + SLOT_FLAGS]}`,
      );
    }
  });
  return lines.join('\n');
}

/** What `AttachedMemory` of another thread is made of. */
export function handleOf(/** @type {import('../../dist/worker/attached-memory.js').AttachedMemory} */ memory) {
  return {
    control: memory.control.buffer,
    telemetry: memory.telemetry.buffer,
    errors: memory.errors.buffer,
    rings: memory.ringHandles,
    workerCount: memory.workerCount,
    taskCount: memory.telemetryLayout.taskCount,
    traceJobs: memory.telemetryLayout.traceJobs,
  };
}
