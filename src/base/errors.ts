/**
 * Every error that this package throws or rejects with. `code` is stable (semantic versioning covers it), the message
 * says what was given, what was expected and what to do, and may change.
 */
export class FrameDeadlineError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(`${message} [${code}]`, options);
    this.code = code;
  }
}
FrameDeadlineError.prototype.name = 'FrameDeadlineError';

export type ErrorCode =
  // set-up
  | 'OPTION_INVALID'
  | 'LANE_UNKNOWN'
  | 'LANE_UNSERVED'
  | 'WORKER_WITHOUT_LANE'
  | 'CPU_NOT_ALLOWED'
  | 'TASK_MODULE_NOT_FOUND'
  | 'TASK_MODULE_FAILED'
  | 'TASK_MODULE_EMPTY'
  | 'TASK_MODULE_MISMATCH'
  | 'READY_TIMEOUT'
  | 'SCHEMA_INVALID'
  | 'PAYLOAD_TOO_LARGE'
  | 'SHARED_MEMORY_UNAVAILABLE'
  // use
  | 'TASK_UNKNOWN'
  | 'PAYLOAD_INVALID'
  | 'DEADLINE_INVALID'
  | 'JOB_STALE'
  | 'JOB_PENDING'
  | 'JOB_REFUSED'
  | 'JOB_FAILED'
  | 'FRAME_CLOSED'
  | 'HELP_UNAVAILABLE'
  | 'BLOCKING_NOT_ALLOWED'
  | 'SCHEDULER_CLOSED'
  | 'WORKER_DIED'
  | 'CONTROL_TIMEOUT'
  | 'RELOAD_UNAVAILABLE'
  // telemetry socket
  | 'TELEMETRY_PATH_IN_USE'
  | 'TELEMETRY_UNREACHABLE'
  | 'TELEMETRY_ENDED'
  // files and command line
  | 'USAGE'
  | 'PORT_UNAVAILABLE'
  | 'WAV_INVALID'
  | 'WAV_UNSUPPORTED'
  | 'EVENTS_INVALID'
  | 'TELEMETRY_FILE_INVALID'
  | 'FILE_UNREADABLE'
  | 'OUTPUT_UNWRITABLE';

/** Names what was given, short enough for a message. Never throws. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (value === null || typeof value !== 'object') return typeof value === 'bigint' ? `${value}n` : String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${(value as Uint8Array).length}`;
  const name = (value as object).constructor?.name ?? 'no class';
  if (name !== 'Object') return `an object of ${name}`;
  return Object.keys(value).length === 0 ? 'an empty object' : 'an object';
}
