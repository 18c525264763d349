// What the entries of all platforms export alike.

export { type ErrorCode, FrameDeadlineError } from './base/errors.js';
export type { Answer, Priority, ThreadReport } from './host/thread-control.js';
export {
  type ArrayField,
  type BytesField,
  type BytesView,
  bytes,
  type Field,
  f32,
  f64,
  i32,
  type Literal,
  type ReadonlyView,
  type ScalarField,
  type Schema,
  u8,
  u32,
  type View,
} from './memory/fields.js';
export { readLiteral } from './memory/views.js';
export { AudioClock, type AudioState, type DepthOptions, targetDepthSampleFrames } from './ring/audio-clock.js';
export { StreamRing } from './ring/stream-ring.js';
export type { Description, WorkerDescription } from './scheduler/describe.js';
export type { Frame, JoinOptions, JoinSyncOptions } from './scheduler/frame.js';
export type { Job } from './scheduler/job.js';
export type { LoopOptions } from './scheduler/loop.js';
export type { MissListener } from './scheduler/miss-log.js';
export type { LaneOptions, SchedulerOptions, WorkerOptions } from './scheduler/options.js';
export type { ReloadOptions, ReloadResult } from './scheduler/reloads.js';
export type { BeginFrameOptions, CloseOptions, Handles, Scheduler, SubmitOptions } from './scheduler/scheduler.js';
export type { ServedTelemetry, ServeTelemetryOptions } from './scheduler/serve-telemetry.js';
export type {
  LaneSnapshot,
  Latencies,
  LoopSnapshot,
  Snapshot,
  TaskSnapshot,
  WorkerSnapshot,
} from './scheduler/snapshot.js';
export type { TaskHandle } from './scheduler/task-handle.js';
export type { TelemetryReader as TelemetryWindow } from './scheduler/telemetry-reader.js';
export type { Transferred, TransferTarget } from './scheduler/transfer.js';
export type { LatencySummary } from './telemetry/histogram-reader.js';
export type { JobRecord, JobTrace, TracedThread } from './telemetry/job-trace-data.js';
export type { MissCause, Outcome, Refusal } from './telemetry/outcomes.js';
export type { HistogramName } from './telemetry/recorder.js';
export type {
  Culprit,
  Environment,
  FrameRecord,
  HistogramData,
  JobCounts,
  LaneTelemetry,
  LoopPauses,
  LoopTelemetry,
  Miss,
  MissFlag,
  MissRuns,
  MissSegments,
  ProbeReport,
  TaskTelemetry,
  Telemetry,
  WorkerTelemetry,
} from './telemetry/telemetry-data.js';
export {
  type Initialize,
  type InitializeContext,
  type JobContext,
  type Task,
  type TaskDefinition,
  task,
} from './worker/task.js';
