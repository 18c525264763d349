import type { Platform } from '../host/platform.js';
import type { Plan } from './plan.js';
import type { TelemetryHost } from './serve-telemetry.js';

/** The buffers that jobs go through, then those that are only read: what is wanted most first. */
export function buffersOf({ memory }: Plan): SharedArrayBuffer[] {
  return [memory.control, ...memory.rings.map((ring) => ring.buffer), memory.errors, memory.telemetry];
}

/** Part of `SchedulerParts`: who serves telemetry sockets, where there are any. */
export function telemetryHost(
  { telemetrySockets }: Platform,
  serving: Omit<TelemetryHost, 'sockets'> | null,
): { telemetryHost?: TelemetryHost } {
  if (telemetrySockets === undefined || serving === null) return {};
  return { telemetryHost: { sockets: telemetrySockets, ...serving } };
}
