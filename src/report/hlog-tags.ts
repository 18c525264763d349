import { LOOP_HISTOGRAMS } from '../telemetry/loop-row.js';
import { HISTOGRAMS } from '../telemetry/recorder.js';
import type { HistogramData, Telemetry } from '../telemetry/telemetry-data.js';
import { histogramCounts, histogramData } from '../telemetry/telemetry-data.js';

/** Of which lane or loop an interval is, and what it measures. */
export interface HlogTag {
  /** A lane's name, or `loop0` and so on for the host's loops. Null where a foreign log has no tag of this form. */
  readonly owner: string | null;
  /**
   * `wakeup`, `queueing`, `execution`, `response`, `tardiness` of lanes; `tickError`, `submitting`, `frame`, `interval`
   * of loops. A foreign tag as it is; empty for lines without a tag.
   */
  readonly metric: string;
}

/** A tag holds no comma and no white space: those, and `%`, are written as in URLs. */
export function hlogTag(owner: string, metric: string): string {
  return `${owner.replace(/[%,\s"]/g, (sign) => encodeURIComponent(sign))}.${metric}`;
}

/** The reverse of {@link hlogTag}. The last dot parts the two: metrics have none. */
export function parseHlogTag(tag: string): HlogTag {
  const dot = tag.lastIndexOf('.');
  if (dot <= 0) return { owner: null, metric: tag };
  const owner = tag.slice(0, dot);
  try {
    return { owner: decodeURIComponent(owner), metric: tag.slice(dot + 1) };
  } catch {
    return { owner, metric: tag.slice(dot + 1) };
  }
}

/** Every distribution of a telemetry with its tag: those of lanes (their tasks summed), then those of loops. */
export function hlogHistograms({ lanes, loops }: Telemetry): [tag: string, data: HistogramData][] {
  const all: [string, HistogramData][] = [];
  for (const lane of lanes) {
    for (const name of HISTOGRAMS) {
      const ofTasks = lane.tasks.map((task) => task.histograms[name]);
      const data = ofTasks.length === 1 ? ofTasks[0]! : histogramData(histogramCounts(...ofTasks));
      all.push([hlogTag(lane.name, withoutUnit(name)), data]);
    }
  }
  for (const loop of loops) {
    for (const name of LOOP_HISTOGRAMS) all.push([hlogTag(`loop${loop.id}`, withoutUnit(name)), loop[name]]);
  }
  return all;
}

function withoutUnit(name: string): string {
  return name.slice(0, -'Us'.length);
}
