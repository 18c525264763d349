import type { HistogramData } from '../telemetry/telemetry-data.js';
import { exponentialHistogram } from './opentelemetry-histogram.js';
import {
  type HrTime,
  type Metric,
  type MetricAttributes,
  type MetricPoint,
  POINT_EXPONENTIAL_HISTOGRAM,
  POINT_GAUGE,
  POINT_SUM,
  TEMPORALITY_CUMULATIVE,
  TEMPORALITY_DELTA,
  VALUE_TYPE_DOUBLE,
  VALUE_TYPE_INT,
} from './opentelemetry-types.js';

/** Attributes of a point and its value. */
export type Sample<T> = readonly [attributes: MetricAttributes, value: T];

/** Makes the metrics of one collection. A metric without a point is left out. */
export class MetricWriter {
  readonly metrics: Metric[];
  private readonly startTime: HrTime;
  private readonly endTime: HrTime;
  private readonly temporality: typeof TEMPORALITY_DELTA | typeof TEMPORALITY_CUMULATIVE;

  constructor(startTime: HrTime, endTime: HrTime, temporality: 'cumulative' | 'delta') {
    this.metrics = [];
    this.startTime = startTime;
    this.endTime = endTime;
    this.temporality = temporality === 'delta' ? TEMPORALITY_DELTA : TEMPORALITY_CUMULATIVE;
  }

  /** Whole numbers that only grow. `unit` as in UCUM: `{job}`. */
  counter(name: string, unit: string, description: string, samples: readonly Sample<number>[]): void {
    if (samples.length === 0) return;
    this.metrics.push({
      descriptor: { name, description, unit, valueType: VALUE_TYPE_INT },
      aggregationTemporality: this.temporality,
      dataPointType: POINT_SUM,
      isMonotonic: true,
      dataPoints: this.points(samples),
    });
  }

  /** Whole numbers that go up and down and can be added up. Always cumulative, as the specification asks of them. */
  upDownCounter(name: string, unit: string, description: string, samples: readonly Sample<number>[]): void {
    if (samples.length === 0) return;
    this.metrics.push({
      descriptor: { name, description, unit, valueType: VALUE_TYPE_INT },
      aggregationTemporality: TEMPORALITY_CUMULATIVE,
      dataPointType: POINT_SUM,
      isMonotonic: false,
      dataPoints: this.points(samples),
    });
  }

  gauge(name: string, unit: string, description: string, samples: readonly Sample<number>[]): void {
    if (samples.length === 0) return;
    const whole = samples.every(([, value]) => Number.isInteger(value)) && unit !== 's';
    this.metrics.push({
      descriptor: { name, description, unit, valueType: whole ? VALUE_TYPE_INT : VALUE_TYPE_DOUBLE },
      aggregationTemporality: TEMPORALITY_CUMULATIVE,
      dataPointType: POINT_GAUGE,
      dataPoints: this.points(samples),
    });
  }

  /** In seconds. */
  histogram(name: string, description: string, samples: readonly Sample<HistogramData>[]): void {
    if (samples.length === 0) return;
    const values = samples.map(([attributes, data]) => [attributes, exponentialHistogram(data)] as const);
    this.metrics.push({
      descriptor: { name, description, unit: 's', valueType: VALUE_TYPE_DOUBLE },
      aggregationTemporality: this.temporality,
      dataPointType: POINT_EXPONENTIAL_HISTOGRAM,
      dataPoints: this.points(values),
    });
  }

  private points<T>(samples: readonly Sample<T>[]): MetricPoint<T>[] {
    const { startTime, endTime } = this;
    return samples.map(([attributes, value]) => ({ startTime, endTime, attributes, value }));
  }
}
