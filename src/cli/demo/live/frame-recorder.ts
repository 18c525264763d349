import { HistogramCounts, type LatencySummary, summarize } from '../../../telemetry/histogram-reader.js';
import { HISTOGRAM_USED_WORDS, HISTOGRAM_WORDS, recordUs } from '../../../telemetry/shared-histogram.js';

const RECENT_FRAMES = 240;

/** What main measures of the frames: event to picture, and how long the last frames took. */
export class FrameRecorder {
  /** Picture buffer of the last frame whose jobs all ended, or -1. */
  lastPicture: number;
  private readonly eventTimesUs: Float64Array;
  private readonly latency: Int32Array;
  private readonly recent: number[];
  private eventsShown: number;

  /** @param eventTimesUs microseconds since the start */
  constructor(eventTimesUs: Float64Array) {
    this.lastPicture = -1;
    this.eventTimesUs = eventTimesUs;
    this.latency = new Int32Array(HISTOGRAM_WORDS);
    this.recent = [];
    this.eventsShown = 0;
  }

  /**
   * A frame was joined whole.
   * @param eventsShown events that it shows, counted from the first
   * @param sinceStartUs now, since the start of the sound
   */
  joined(picture: number, eventsShown: number, sinceStartUs: number): void {
    this.lastPicture = picture;
    for (let event = this.eventsShown; event < eventsShown; event++) {
      recordUs(this.latency, 0, sinceStartUs - this.eventTimesUs[event]!);
    }
    this.eventsShown = Math.max(this.eventsShown, eventsShown);
  }

  /** From the intended tick to the join, or to giving up. */
  took(us: number): void {
    this.recent.push(us);
    if (this.recent.length > RECENT_FRAMES) this.recent.shift();
  }

  recentFrameUs(): readonly number[] {
    return this.recent;
  }

  latencyUs(): LatencySummary {
    const counts = new HistogramCounts();
    for (let i = 0; i < counts.buckets.length && i < HISTOGRAM_USED_WORDS; i++) {
      counts.buckets[i] = this.latency[i]!;
      counts.count += this.latency[i]!;
    }
    return summarize(counts);
  }
}
