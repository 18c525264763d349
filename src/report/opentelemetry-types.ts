/**
 * The shapes of OpenTelemetry's SDK that are used, written out so that neither the package nor its types need the SDK.
 * Both 2.x and 3.x of `@opentelemetry/sdk-metrics` take them; the tests check that against the real types.
 */

/** Seconds and nanoseconds since 1970. */
export type HrTime = [seconds: number, nanoseconds: number];
export type MetricAttributes = Record<string, string | number | boolean>;

export const VALUE_TYPE_INT = 0;
export const VALUE_TYPE_DOUBLE = 1;
export const TEMPORALITY_DELTA = 0;
export const TEMPORALITY_CUMULATIVE = 1;
export const POINT_EXPONENTIAL_HISTOGRAM = 1;
export const POINT_GAUGE = 2;
export const POINT_SUM = 3;

export interface MetricPoint<T> {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly attributes: MetricAttributes;
  readonly value: T;
}

interface MetricBase {
  readonly descriptor: {
    readonly name: string;
    readonly description: string;
    readonly unit: string;
    readonly valueType: typeof VALUE_TYPE_INT | typeof VALUE_TYPE_DOUBLE;
  };
  readonly aggregationTemporality: typeof TEMPORALITY_DELTA | typeof TEMPORALITY_CUMULATIVE;
}

export interface SumMetric extends MetricBase {
  readonly dataPointType: typeof POINT_SUM;
  readonly isMonotonic: boolean;
  readonly dataPoints: MetricPoint<number>[];
}

export interface GaugeMetric extends MetricBase {
  readonly dataPointType: typeof POINT_GAUGE;
  readonly dataPoints: MetricPoint<number>[];
}

/** Bucket `offset + i` at scale s holds values in (2^((offset + i) / 2^s), 2^((offset + i + 1) / 2^s)]. */
export interface ExponentialHistogramValue {
  readonly count: number;
  readonly sum: number;
  readonly scale: number;
  readonly zeroCount: number;
  readonly positive: { readonly offset: number; readonly bucketCounts: number[] };
  readonly negative: { readonly offset: number; readonly bucketCounts: number[] };
  readonly min?: number;
  readonly max?: number;
}

export interface ExponentialHistogramMetric extends MetricBase {
  readonly dataPointType: typeof POINT_EXPONENTIAL_HISTOGRAM;
  readonly dataPoints: MetricPoint<ExponentialHistogramValue>[];
}

export type Metric = SumMetric | GaugeMetric | ExponentialHistogramMetric;

/** Readers take the SDK's resource and look at none of this one. */
export interface EmptyResource {
  readonly attributes: Record<string, never>;
  merge<R>(other: R | null): R | EmptyResource;
  getRawAttributes(): [];
}

export interface MetricCollection {
  readonly resourceMetrics: {
    readonly resource: EmptyResource;
    readonly scopeMetrics: { readonly scope: { readonly name: string }; readonly metrics: Metric[] }[];
  };
  readonly errors: unknown[];
}

/** `MetricProducer` of `@opentelemetry/sdk-metrics`. */
export interface FrameDeadlineMetricProducer {
  collect(): Promise<MetricCollection>;
}

/** The part of `Logger` of `@opentelemetry/api-logs` that is used. */
export interface EventLogger {
  emit(record: EventRecord): void;
}

export interface EventRecord {
  readonly eventName: string;
  readonly timestamp: HrTime;
  /** WARN. */
  readonly severityNumber: 13;
  readonly attributes: MetricAttributes;
}

/** @param unixMs milliseconds since 1970, fractions included */
export function hrTime(unixMs: number): HrTime {
  const seconds = Math.floor(unixMs / 1000);
  return [seconds, Math.min(Math.round((unixMs - seconds * 1000) * 1e6), 999_999_999)];
}
