/**
 * OpenTelemetry: a metric producer and `app.jank` events for the app's own SDK (`@opentelemetry/sdk-metrics` and
 * `@opentelemetry/api-logs`). Imports nothing of either: give it to readers that are set up already, such as
 * `new PeriodicExportingMetricReader({ exporter, metricProducers: [metricProducer(scheduler)] })`.
 */
import { checkKeys } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { metricsOf } from './opentelemetry-metrics.js';
import type { EmptyResource, FrameDeadlineMetricProducer, Metric } from './opentelemetry-types.js';
import type { TelemetrySource } from './source.js';

export { type JankOptions, type JankReports, jankEvents, jankEventsOf } from './opentelemetry-jank.js';
export { metricsOf } from './opentelemetry-metrics.js';
export type * from './opentelemetry-types.js';
export type { TelemetrySource, TelemetryWindow } from './source.js';

const RESOURCE: EmptyResource = {
  attributes: {},
  merge: (other) => other ?? RESOURCE,
  getRawAttributes: () => [],
};

export interface MetricProducerOptions {
  /**
   * `cumulative` (default): totals since the start. `delta`: what happened since the last collection; one reader only
   * may have such a producer. Producers choose for themselves, an exporter's preference does not reach them.
   */
  readonly temporality?: 'cumulative' | 'delta';
}

/**
 * What a MetricReader of the SDK, 2.x or 3.x, takes in its `metricProducers`. It reads when the reader collects and does
 * nothing in between. Metrics are named `frame_deadline.*`, durations in seconds, histograms exponential (see
 * `exponentialHistogram` for their error). Never rejects: a closed scheduler stands in `errors`.
 * @throws FrameDeadlineError OPTION_INVALID
 */
export function metricProducer(
  source: TelemetrySource,
  options: MetricProducerOptions = {},
): FrameDeadlineMetricProducer {
  checkKeys('options of metricProducer', options, ['temporality']);
  const { temporality = 'cumulative' } = options;
  if (temporality !== 'cumulative' && temporality !== 'delta') {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `temporality is ${describeValue(temporality)}, expected cumulative or delta`,
    );
  }
  const window = temporality === 'delta' ? source.telemetryWindow() : null;
  // of a cumulative series it must never change; of deltas each begins where the last one ended
  let startUnixMs: number | null = null;

  function read(): Metric[] {
    const telemetry = window?.read() ?? source.telemetry();
    startUnixMs ??= telemetry.toUnixMs - (telemetry.toUs - telemetry.fromUs) / 1000;
    const metrics = metricsOf(telemetry, startUnixMs, temporality);
    if (window !== null) startUnixMs = telemetry.toUnixMs;
    return metrics;
  }

  return {
    collect: async () => {
      const errors: unknown[] = [];
      let metrics: Metric[] = [];
      try {
        metrics = read();
      } catch (error) {
        errors.push(error);
      }
      const scopeMetrics = metrics.length === 0 ? [] : [{ scope: { name: 'frame-deadline' }, metrics }];
      return { resourceMetrics: { resource: RESOURCE, scopeMetrics }, errors };
    },
  };
}
