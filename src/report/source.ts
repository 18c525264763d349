import type { Telemetry } from '../telemetry/telemetry-data.js';

/** What happened since the last `read()` (the first: since the window was made). Readers do not disturb each other. */
export interface TelemetryWindow {
  read(): Telemetry;
}

/** What the exporters read from: a Scheduler, or anything else that has telemetry to give. */
export interface TelemetrySource {
  /** Totals since the start. */
  telemetry(): Telemetry;
  telemetryWindow(): TelemetryWindow;
}
