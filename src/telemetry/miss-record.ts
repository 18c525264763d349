/** Body words of a miss record. */
export const MISS_RECORD_WORDS = 27;
/** Records of one thread that are kept until they are read. */
export const MISS_CAPACITY = 256;

/** Body words of a miss record (see `record-ring.ts`), filled by the thread that ended the job. Durations in microseconds. */
export const MISS_SEQUENCE = 0;
/** MISS_FLAG_* bits. */
export const MISS_FLAGS = 1;
export const MISS_TASK = 2;
/** Column of the thread that ran it, or -1 if none did. */
export const MISS_COLUMN = 3;
export const MISS_FRAME_NUMBER = 4;
export const MISS_OUTCOME = 5;
export const MISS_CAUSE = 6;
/** Bit c set: cause c contributed. */
export const MISS_CAUSE_MASK = 7;
export const MISS_SUBMIT_US = 8;
export const MISS_RELEASE_US = 9;
export const MISS_DEADLINE_US = 10;
export const MISS_START_US = 11;
export const MISS_FINISH_US = 12;
export const MISS_WAKEUP_US = 13;
export const MISS_WAITING_US = 14;
/** From the start to the finish; 0 if its handler did not run. */
export const MISS_EXECUTION_US = 15;
/** How much too late it was submitted, or 0. */
export const MISS_LATE_SUBMIT_US = 16;
/** Task + 1 of the job that held the worker longest while this one waited, or CULPRIT_* below 0, or 0. */
export const MISS_CULPRIT_TASK = 17;
export const MISS_CULPRIT_EXECUTION_US = 18;
export const MISS_CULPRIT_SEQUENCE = 19;
export const MISS_CULPRIT_FRAME_NUMBER = 20;
/** 1 if it was started. */
export const MISS_STARTED = 21;
/** Frame slot + 1, or 0. */
export const MISS_FRAME = 22;
/** Periods that this record stands for: more than 1 where several releases in a row were not served. */
export const MISS_PERIODS = 23;
/** Parts of the execution, or MISS_NO_SIGNAL. */
export const MISS_GC_US = 24;
export const MISS_PREEMPTED_US = 25;
export const MISS_ON_CPU_US = 26;

/** There is no such signal here. */
export const MISS_NO_SIGNAL = -1;

/** The culprit is a job of an earlier frame or period, still running when this one was released. */
export const MISS_FLAG_BACKLOG = 1;
/** A debugger could stop threads. */
export const MISS_FLAG_DEBUGGER = 2;

/** The main thread was late to call the frame's callback. */
export const CULPRIT_EVENT_LOOP = -1;
/** The frame's callback was late to submit. */
export const CULPRIT_FRAME_CALLBACK = -2;
