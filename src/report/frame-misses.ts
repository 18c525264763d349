import type { FrameRecord, Miss, Telemetry } from '../telemetry/telemetry-data.js';

/**
 * The kept misses of each frame, the one that finished latest past its deadline first. A miss knows the number of its
 * frame, not its loop: of several frames with that number it belongs to the one whose span it falls into.
 */
export function missesByFrame(telemetry: Telemetry): Map<FrameRecord, Miss[]> {
  const framesOf = new Map<number, FrameRecord[]>();
  for (const frame of telemetry.frames) {
    // a record of several dropped ticks has no jobs, and so no misses but of its first tick
    const sameNumber = framesOf.get(frame.number);
    if (sameNumber === undefined) framesOf.set(frame.number, [frame]);
    else sameNumber.push(frame);
  }
  const found = new Map<FrameRecord, Miss[]>();
  for (const miss of telemetry.misses) {
    const candidates = miss.frame === null ? undefined : framesOf.get(miss.frame);
    if (candidates === undefined) continue;
    let nearest = candidates[0]!;
    for (const frame of candidates) if (distanceUs(frame, miss) < distanceUs(nearest, miss)) nearest = frame;
    const misses = found.get(nearest);
    if (misses === undefined) found.set(nearest, [miss]);
    else misses.push(miss);
  }
  for (const misses of found.values()) misses.sort((a, b) => b.tardinessUs - a.tardinessUs);
  return found;
}

function distanceUs(frame: FrameRecord, miss: Miss): number {
  return Math.abs(miss.deadlineAtUs - frame.deadlineAtUs);
}
