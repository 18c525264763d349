/**
 * Every shared word of the engine, with the one thread that writes it. Offsets are in 32-bit words unless named Bytes.
 *
 * Writers: H = host (the thread that created the scheduler), W = the worker that the block or the slot belongs to,
 * S = supervisor. "by compare-exchange" marks the words that several threads may change, each from a value it has read.
 */

/** Two cache lines: adjacent-line prefetch pairs them on x86-64 (Intel SDM 3.7.3), and Apple's line is 128 bytes. */
export const LINE_WORDS = 32;

// ---------------------------------------------------------------- limits
/** Workers (spares included) of one scheduler: a lane's servers are one 32-bit mask. */
export const MAX_WORKERS = 30;
/** Columns of per-thread tables: the workers, then the host, then the supervisor. */
export const HOST_COLUMN = MAX_WORKERS;
export const SUPERVISOR_COLUMN = MAX_WORKERS + 1;
export const COLUMN_COUNT = MAX_WORKERS + 2;
export const MAX_LANES = 64;
/** Frames that can be in flight at once, over all loops. */
export const FRAME_SLOT_COUNT = 32;
/** Stages of one frame that can be closed and not yet complete. */
export const MAX_OPEN_STAGES = 64;
/** Largest payload (input plus output) of one slot. */
export const MAX_PAYLOAD_BYTES = 65_536;

// ---------------------------------------------------------------- job slot
/** Status, outcome, owner and generation in one word; changed by compare-exchange, except by its producer while it is free or writing. */
export const SLOT_STATE = 0;
/** Position at which the slot was published last: the submission order, and the handle's job number. Producer. */
export const SLOT_SEQUENCE = 1;
/** Index of the task in the scheduler. Producer. */
export const SLOT_TASK = 2;
/** Frame slot + 1, or 0 for a single job. Producer. */
export const SLOT_FRAME = 3;
/** Stage of the frame (cumulative over the life of the frame slot); for a periodic job, how many its lane has released with it. Producer. */
export const SLOT_STAGE = 4;
/** Number of the frame, or of the period in a ring of periods; -1 if neither. Producer. */
export const SLOT_FRAME_NUMBER = 5;
/** Stamp of the submit. Producer. */
export const SLOT_SUBMIT_US = 6;
/** Stamp of the intended release. Producer. */
export const SLOT_RELEASE_US = 7;
/** Stamp of the absolute deadline. Producer. */
export const SLOT_DEADLINE_US = 8;
/** SLOT_FLAG_* bits. Written by the producer, set by `or`. */
export const SLOT_FLAGS = 9;
/** Stamp of the start. Owner, after the claim. */
export const SLOT_START_US = 10;
/** Stamp of the finish. Owner, before done. */
export const SLOT_FINISH_US = 11;
/** Which counter the owner is about to count this job in: outcome and cause. Owner, before done. */
export const SLOT_RECORD_COUNTER = 12;
/** Value of that counter's low word after counting this job. Owner, before done. */
export const SLOT_RECORD_VALUE = 13;
/** Value of the owner's column of the frame after counting this job. Owner, before done. */
export const SLOT_RECORD_FRAME = 14;
/** Number of the owner's error text, 0 for none. Owner, before done. */
export const SLOT_ERROR = 15;
export const SLOT_HEADER_WORDS = 16;
export const SLOT_HEADER_BYTES = SLOT_HEADER_WORDS * 4;

/** The running or waiting job is asked to stop. Producer. */
export const SLOT_FLAG_CANCEL = 1;
/** The job was issued again after its first worker died. S. */
export const SLOT_FLAG_REISSUED = 2;
/** The job was ended while its thread still runs it: the slot is not used again before that thread is gone. S. */
export const SLOT_FLAG_RETIRED = 4;

// state word: generation << 16 | owner << 8 | outcome << 4 | status
export const STATUS_FREE = 0;
/** Its producer fills it. */
export const STATUS_WRITING = 1;
/** Published, behind a barrier. */
export const STATUS_WAITING = 2;
/** Published, may be claimed. */
export const STATUS_READY = 3;
export const STATUS_RUNNING = 4;
/** Ended: the outcome says how. */
export const STATUS_DONE = 5;
export const STATUS_MASK = 0xf;

export const OUTCOME_ON_TIME = 1;
export const OUTCOME_LATE = 2;
export const OUTCOME_EXPIRED = 3;
export const OUTCOME_FAILED = 4;
export const OUTCOME_CANCELLED = 5;
export const OUTCOME_LOST = 6;

export const OWNER_NONE = 0xff;
const GENERATION_MASK = ~0xffff;

export const statusOf = (state: number): number => state & STATUS_MASK;
export const outcomeOf = (state: number): number => (state >>> 4) & 0xf;
export const ownerOf = (state: number): number => (state >>> 8) & 0xff;
/** The same generation with another owner, outcome and status. */
export const withStatus = (state: number, status: number, outcome = 0, owner = OWNER_NONE): number =>
  (state & GENERATION_MASK) | (owner << 8) | (outcome << 4) | status;
/** Free, in the next generation. */
export const nextGeneration = (state: number): number =>
  ((state & GENERATION_MASK) + 0x10000) | (OWNER_NONE << 8) | STATUS_FREE | 0;

// ---------------------------------------------------------------- job ring header
/** Position after the last published one; free-running. Producer. */
export const RING_HEAD = 0;
/** Position + 1 of the last submission whose deadline was before an earlier one's; stored before that is published. Producer. */
export const RING_LAST_OUT_OF_ORDER = 1;
/** Changes when a slot was made ready again behind the workers' cursors. S, by add. */
export const RING_RESCAN_EPOCH = LINE_WORDS;
/** Runs of consecutive misses (see `ring/miss-runs.ts`). By add: whoever ends a job that missed. */
export const RING_MISS_RUNS = LINE_WORDS + 1;
/** Misses of the longest run. By compare-exchange: whoever ends a job that missed. */
export const RING_LONGEST_MISS_RUN = LINE_WORDS + 2;
/** Job number divided by 32 that the producer has come to. Producer. */
export const RING_NUMBER_WORD = LINE_WORDS + 3;
/** One bit for each of the last 1024 job numbers, set if the job missed its deadline. By or: whoever ends the job; cleared ahead by the producer. */
export const RING_MISSED_BITS = LINE_WORDS * 2;
/** The same: set if no job has that number. Producer. */
export const RING_GAP_BITS = LINE_WORDS * 3;
export const RING_HEADER_WORDS = LINE_WORDS * 4;

// ---------------------------------------------------------------- control region
/** 1 while submits are refused because the scheduler is closing. H. */
export const CONTROL_CLOSING = 0;
/** 1 while the host waits for jobs one by one. H. */
export const CONTROL_HOST_WAITING = 1;
/** Changes when a job ended while the host waited for jobs one by one, or a worker died. By add. */
export const CONTROL_COMPLETION_EPOCH = LINE_WORDS;
/** Changes when a miss was recorded while the host listened. By add. */
export const CONTROL_MISS_EPOCH = LINE_WORDS + 1;
/** 1 while the host listens for misses. H. */
export const CONTROL_MISS_LISTENING = 2;
/** 1 while an inspector listens in this process: threads may be stopped at any time. H. */
export const CONTROL_INSPECTED = 3;
/** 1 while the supervisor waits for a worker to wake up before it looks for hung jobs again. S; 0 also by the worker that wakes up. */
export const CONTROL_WATCH_ASLEEP = 4;
/** 1 while a reload takes its workers over: frames that begin meanwhile wait for its end. S. */
export const CONTROL_SWITCHING = 5;
/** When the supervisor looked at the clock last, twice a second: milliseconds since the epoch (wrap), never 0. 0: it does not. S. */
export const CONTROL_BEAT_MS = 6;
/** The last two of its looks that lie more than a second too far apart: it stood still between them. S. */
export const CONTROL_STOOD_FROM_MS = 7;
export const CONTROL_STOOD_TO_MS = 8;
const CONTROL_HEADER_WORDS = LINE_WORDS * 2;

// worker block
/** `awake | parked | rung`. By compare-exchange: parked by W, rung by whoever rings. */
export const WORKER_BELL = 0;
/** What the worker is asked to do when it next looks: see COMMAND_*. S. */
export const WORKER_COMMAND = 1;
/** Threads that have ended their service in this column: the next one's turn has come. By add: W as its last act; S for a dead one. */
export const WORKER_ENDED_LIVES = 2;
/** Which worker the column's thread is, or was last. H before the start; S when a spare takes a worker's place. */
export const WORKER_PLACE = 3;
/** In the block of a worker's own number: the column whose thread serves as that worker. H before the start; S when a spare takes its place. */
export const WORKER_COLUMN = 4;
/** Index + 1 of the task that it runs now, 0 for none. W. */
export const WORKER_CURRENT_TASK = LINE_WORDS;
/** Stamp of the start of what it runs now. W. */
export const WORKER_CURRENT_START_US = LINE_WORDS + 1;
/** Jobs that it has ended. W. */
export const WORKER_JOB_COUNT = LINE_WORDS + 2;
/** Collections that it made in slack time: of the young generation, full ones, and their milliseconds together. W. */
export const WORKER_SLACK_YOUNG = LINE_WORDS + 3;
export const WORKER_SLACK_FULL = LINE_WORDS + 4;
export const WORKER_SLACK_MS = LINE_WORDS + 5;
const WORKER_WORDS = LINE_WORDS * 2;

export const BELL_AWAKE = 0;
export const BELL_PARKED = 1;
export const BELL_RUNG = 2;

export const COMMAND_RUN = 0;
/** End after the running job. */
export const COMMAND_STOP = 1;
/** End after the running job and let the spare begin, which sets the word back. */
export const COMMAND_HAND_OVER = 2;

// lane block
/** Bit w is set while worker w serves the lane; the sign bit once no worker will ever again. S (H before the start). */
export const LANE_SERVERS = 0;
export const LANE_ABANDONED = 1 << 31;
/** Number of the next period to be released. W, the one that releases, after each; S after its death. */
export const LANE_NEXT_PERIOD = 1;
/** Periods of the lane that were published, ever: the slot says which one it is in SLOT_STAGE. W, the one that releases; S after its death. */
export const LANE_RELEASED = 2;
/** Worker + 1 that releases the lane's periods. H before the start; S when that worker is given up. */
export const LANE_RELEASER = 3;
/** Pauses of the lane, and its periods in them, which were not due: everything stood still. W, the one that releases; S after its death. */
export const LANE_PAUSES = 4;
export const LANE_PAUSED_PERIODS = 5;
const LANE_WORDS = 16;

// task words
/** How often the task ended its worker within the time that counts, once that was too often: it is not run any more. 0 before. S. */
export const TASK_QUARANTINED = 0;
const TASK_WORDS = 1;

// frame block
/** Changes when a stage completed or a worker died. By add. */
export const FRAME_EPOCH = 0;
/** Stages that are complete; free-running. By compare-exchange. */
export const FRAME_STAGES_COMPLETE = 1;
/** Stages that are closed; free-running. H. */
export const FRAME_STAGES_CLOSED = LINE_WORDS;
/** Entries of the waiting list in use. H. */
export const FRAME_WAITING_LENGTH = LINE_WORDS + 1;
/** Stamp of the frame's intended tick. H, before its first job. */
export const FRAME_TICK_US = LINE_WORDS + 2;
/** Stamp of the call that began the frame. H, before its first job. */
export const FRAME_CALLED_US = LINE_WORDS + 3;
/** Relative deadline of the frame, from its tick, in microseconds. H, before its first job. */
export const FRAME_RELATIVE_DEADLINE_US = LINE_WORDS + 4;
/** 1 while the host submits to the frame. H. */
export const FRAME_OPEN = LINE_WORDS + 5;
/** 1 while the frame waits for the end of a reload. By compare-exchange: 1 by H; 0 by S or H, who then counts what stands for it. */
export const FRAME_HELD = LINE_WORDS + 6;
/** Per stage (modulo MAX_OPEN_STAGES): jobs accepted up to its end, over the life of the frame slot. H. */
export const FRAME_STAGE_TARGETS = LINE_WORDS * 2;
/** Per thread: jobs of this frame slot that it has ended, ever. The thread of the column; S for a dead worker's. */
export const FRAME_COLUMNS = FRAME_STAGE_TARGETS + MAX_OPEN_STAGES;
const FRAME_HEAD_WORDS = FRAME_COLUMNS + LINE_WORDS;

/** Where the blocks of one control region lie. The waiting list of a frame holds `ring << 16 | slot`. H. */
export class ControlLayout {
  readonly waitingCapacity: number;
  readonly words: number;
  private readonly laneBase: number;
  private readonly frameBase: number;
  private readonly frameWords: number;
  private readonly taskBase: number;
  /** `waitingCapacity`: slots of all rings together, since each entry holds one. */
  constructor(waitingCapacity: number, taskCount = 0) {
    this.waitingCapacity = waitingCapacity;
    this.laneBase = CONTROL_HEADER_WORDS + COLUMN_COUNT * WORKER_WORDS;
    this.frameBase = this.laneBase + MAX_LANES * LANE_WORDS;
    this.frameWords = FRAME_HEAD_WORDS + Math.ceil(waitingCapacity / LINE_WORDS) * LINE_WORDS;
    this.taskBase = this.frameBase + FRAME_SLOT_COUNT * this.frameWords;
    this.words = this.taskBase + taskCount * TASK_WORDS;
  }
  worker(index: number): number {
    return CONTROL_HEADER_WORDS + index * WORKER_WORDS;
  }
  lane(index: number): number {
    return this.laneBase + index * LANE_WORDS;
  }
  task(index: number): number {
    return this.taskBase + index * TASK_WORDS;
  }
  frame(index: number): number {
    return this.frameBase + index * this.frameWords;
  }
  /** First word of the frame's waiting list. */
  waitingList(index: number): number {
    return this.frameBase + index * this.frameWords + FRAME_HEAD_WORDS;
  }
}
