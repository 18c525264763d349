/**
 * Prometheus: the telemetry as text, and a handler to mount in the app's own server. Names begin with `frame_deadline_`,
 * durations are in seconds. Labels: `lane`, `task`, `outcome`, `cause`, `reason`, `worker`, `loop` and a few fixed facts;
 * none grows with the number of jobs or frames.
 */
export { prometheusHandler, type ScrapeRequest, type ScrapeResponse } from './prometheus-handler.js';
export { prometheusText } from './prometheus-metrics.js';
export type { ExpositionFormat } from './prometheus-text.js';
export type { TelemetrySource, TelemetryWindow } from './source.js';
