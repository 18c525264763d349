/** What the live view shows: plain data, made anew for each picture. All figures are of the recent past unless said otherwise. */
export interface LiveModel {
  readonly lanes: readonly LiveLane[];
  readonly audio: LiveAudio;
  readonly frames: LiveFrames;
  readonly workers: readonly LiveWorker[];
  /** Seconds since the start, and seconds that it will take. */
  readonly elapsedS: number;
  readonly totalS: number;
}

export interface LiveLane {
  readonly name: string;
  readonly jobsPerSecond: number;
  readonly waitingUsP50: number;
  readonly waitingUsP99: number;
  readonly executionUsP50: number;
  readonly executionUsP99: number;
  /** Time to deadline at the finish that 99 of 100 jobs had at least; negative when late; null when there is none. */
  readonly timeToDeadlineUsP1: number | null;
  /** Since the start. */
  readonly misses: number;
  readonly missCauses: Readonly<Record<string, number>>;
}

export interface LiveAudio {
  /** Since the start. */
  readonly xruns: number;
  readonly bufferFillBlocks: number;
  readonly bufferBlocks: number;
}

export interface LiveFrames {
  /** Since the start. */
  readonly intended: number;
  readonly rendered: number;
  readonly missed: number;
  /** Response times of the last frames, oldest first. */
  readonly recentFrameUs: readonly number[];
  readonly deadlineUs: number;
}

export interface LiveWorker {
  readonly name: string;
  /** In force, in words: `realtime`, `nice -10`, `normal`. */
  readonly priority: string;
  readonly cpus: readonly number[];
}
