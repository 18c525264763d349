/**
 * What a format of file cannot hold, whatever was measured. Such figures stand as 0 or infinite in the telemetry that is
 * made of the file: they are neither shown as measured nor compared.
 */
export type Lack =
  /** Ticks that were not served; with them the share of missed frames. */
  | 'droppedTicks'
  /** Jobs that were accepted and never ran; with them the share of missed jobs. */
  | 'unstartedJobs'
  | 'refusedJobs'
  | 'tickErrorUs'
  /** Lanes are sums over their tasks. */
  | 'tasks'
  | 'deadlines'
  | 'periods'
  | 'workers'
  | 'environment';

/** A source of telemetry, and what is not in it. */
export interface Source {
  /** As it is called in sentences. */
  readonly name: 'telemetry' | 'log' | 'trace';
  readonly lacks: ReadonlySet<Lack>;
}

/** Telemetry itself: it holds everything. */
export const WHOLE_TELEMETRY: Source = { name: 'telemetry', lacks: new Set() };
