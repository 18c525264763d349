// apps that do not list this library compile, too
/// <reference lib="esnext.disposable" preserve="true" />
import { checkKeys } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import type { MissCause } from '../telemetry/outcomes.js';
import type { FrameRecord, LoopTelemetry, Telemetry } from '../telemetry/telemetry-data.js';
import { CAUSE, LOOP } from './opentelemetry-metrics.js';
import { type EventLogger, type EventRecord, hrTime, type MetricAttributes } from './opentelemetry-types.js';
import type { TelemetrySource } from './source.js';

const MIN_EVERY_MS = 100;
const MAX_EVERY_MS = 3_600_000;

/**
 * `app.jank` events of one window (OpenTelemetry semantic conventions, app events; in development there): one for each
 * of the host's loops that missed or dropped a frame in it, and one for frames of `beginFrame`. Attributes:
 * `app.jank.frame_count` (late frames and dropped ticks), `app.jank.period` (length of the window, s),
 * `app.jank.threshold` (relative deadline, s), and of our own the loop and the commonest cause. Pure.
 */
export function jankEventsOf(window: Telemetry): EventRecord[] {
  const late = window.frames.filter((frame) => frame.outcome !== 'onTime');
  const events: EventRecord[] = [];
  for (const loop of window.loops) {
    const count = loop.missedFrames + loop.droppedTicks;
    if (count === 0) continue;
    const cause = commonestCause(
      window,
      late.filter((frame) => frame.loop === loop.id),
      loop,
    );
    events.push(jankEvent(window, count, loop.deadlineUs, { [LOOP]: loop.id, ...cause }));
  }
  const alone = late.filter((frame) => frame.loop < 0);
  if (alone.length > 0) {
    const count = alone.reduce((sum, frame) => sum + frame.ticks, 0);
    const thresholdUs = Math.min(...alone.map((frame) => frame.deadlineAtUs - frame.tickAtUs));
    events.push(jankEvent(window, count, thresholdUs, commonestCause(window, alone, null)));
  }
  return events;
}

function jankEvent(window: Telemetry, count: number, thresholdUs: number, more: MetricAttributes): EventRecord {
  return {
    eventName: 'app.jank',
    timestamp: hrTime(window.toUnixMs),
    severityNumber: 13,
    attributes: {
      'app.jank.frame_count': count,
      'app.jank.period': (window.toUs - window.fromUs) / 1e6,
      'app.jank.threshold': thresholdUs / 1e6,
      ...more,
    },
  };
}

/** Each late frame counts once for every cause that a job of it missed by; dropped ticks count one each. */
function commonestCause(window: Telemetry, late: readonly FrameRecord[], loop: LoopTelemetry | null): MetricAttributes {
  const counts = new Map<MissCause, number>();
  const add = (cause: MissCause, count: number) => counts.set(cause, (counts.get(cause) ?? 0) + count);
  const numbers = new Set(late.filter((frame) => frame.outcome === 'late').map((frame) => frame.number));
  const seen = new Set<string>();
  for (const { frame, cause } of window.misses) {
    if (frame === null || !numbers.has(frame) || seen.has(`${frame} ${cause}`)) continue;
    seen.add(`${frame} ${cause}`);
    add(cause, 1);
  }
  for (const [cause, count] of Object.entries(loop?.droppedCauses ?? {})) if (count > 0) add(cause as MissCause, count);
  const [commonest] = [...counts].sort(([, a], [, b]) => b - a);
  return commonest === undefined ? {} : { [CAUSE]: commonest[0] };
}

export interface JankOptions {
  /** How often to look, in milliseconds: 100 to 3 600 000. Default 1000. */
  readonly everyMs?: number;
}

/** Running reports; `stop` (or `using`) reports what is left and ends them. */
export interface JankReports {
  stop(): void;
  [Symbol.dispose](): void;
}

/**
 * Emits {@link jankEventsOf} to the app's logger every `everyMs`, from a window of its own. Nothing is emitted for a
 * window without a missed frame. The timer does not keep the process alive; it ends with `stop`, or when the source is
 * closed. What the logger throws is ignored: it must not take the app down.
 * @throws FrameDeadlineError OPTION_INVALID
 */
export function jankEvents(
  source: Pick<TelemetrySource, 'telemetryWindow'>,
  logger: EventLogger,
  options: JankOptions = {},
): JankReports {
  checkKeys('options of jankEvents', options, ['everyMs']);
  const { everyMs = 1000 } = options;
  if (typeof everyMs !== 'number' || !(everyMs >= MIN_EVERY_MS && everyMs <= MAX_EVERY_MS)) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `everyMs is ${describeValue(everyMs)}, expected milliseconds from ${MIN_EVERY_MS} to ${MAX_EVERY_MS}`,
    );
  }
  const window = source.telemetryWindow();
  const report = () => {
    let events: EventRecord[];
    try {
      events = jankEventsOf(window.read());
    } catch {
      // closed: there will be no more
      clearInterval(timer);
      return;
    }
    for (const event of events) {
      try {
        logger.emit(event);
      } catch {
        // the logger's own affair
      }
    }
  };
  const timer: ReturnType<typeof setInterval> = setInterval(report, everyMs);
  (timer as { unref?: () => void }).unref?.();
  let stopped = false;
  const stop = () => {
    if (stopped) return;
    stopped = true;
    clearInterval(timer);
    report();
  };
  return { stop, [Symbol.dispose]: stop };
}
