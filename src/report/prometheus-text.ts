import type { HistogramData } from '../telemetry/telemetry-data.js';
import { bucketBoundsNs, cumulativeCounts } from './prometheus-buckets.js';

/** `prometheus`: text exposition format 0.0.4. `openmetrics`: OpenMetrics 1.0.0. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

/** Label names and values, in the order in which they are written. */
export type Labels = Readonly<Record<string, string>>;

type FamilyType = 'counter' | 'gauge' | 'histogram' | 'info';

/** Writes metric families, each with its HELP and TYPE once and its samples together, as both formats demand. */
export class ExpositionWriter {
  private readonly format: ExpositionFormat;
  private readonly lines: string[] = [];

  constructor(format: ExpositionFormat) {
    this.format = format;
  }

  /** `name` without `_total`. */
  counter(name: string, help: string, samples: Iterable<readonly [Labels, number]>): void {
    this.singles(name, 'counter', help, `${name}_total`, samples);
  }

  gauge(name: string, help: string, samples: Iterable<readonly [Labels, number]>): void {
    this.singles(name, 'gauge', help, name, samples);
  }

  /** Facts in labels; the value is 1. `name` without `_info`. */
  info(name: string, help: string, samples: Iterable<Labels>): void {
    const ones = [...samples].map((labels) => [labels, 1] as const);
    this.singles(name, 'info', help, `${name}_info`, ones);
  }

  /** In seconds, with bounds made from the deadline. */
  histogram(name: string, help: string, samples: Iterable<readonly [Labels, HistogramData, deadlineUs: number]>): void {
    const all = [...samples];
    if (all.length === 0) return;
    this.head(name, name, 'histogram', help);
    for (const [labels, data, deadlineUs] of all) {
      const pairs = labelPairs(labels);
      const boundsNs = bucketBoundsNs(deadlineUs);
      const counts = cumulativeCounts(data, boundsNs);
      const before = `${name}_bucket{${pairs}${pairs === '' ? '' : ','}le="`;
      for (let i = 0; i < counts.length; i++) {
        this.lines.push(`${before}${this.bound(boundsNs[i]! / 1e9)}"} ${counts[i]!}`);
      }
      this.lines.push(`${before}+Inf"} ${data.count}`);
      this.sample(`${name}_sum`, pairs, data.sumUs / 1e6);
      this.sample(`${name}_count`, pairs, data.count);
    }
  }

  end(): string {
    if (this.format === 'openmetrics') this.lines.push('# EOF');
    return `${this.lines.join('\n')}\n`;
  }

  private singles(
    name: string,
    type: FamilyType,
    help: string,
    sampleName: string,
    samples: Iterable<readonly [Labels, number]>,
  ): void {
    const all = [...samples];
    if (all.length === 0) return;
    this.head(name, sampleName, type, help);
    for (const [labels, value] of all) this.sample(sampleName, labelPairs(labels), value);
  }

  private head(name: string, sampleName: string, type: FamilyType, help: string): void {
    const open = this.format === 'openmetrics';
    // the older format knows no suffix of a family and no type `info`
    const family = open ? name : sampleName;
    this.lines.push(`# HELP ${family} ${open ? escapeValue(help) : escapeHelp(help)}`);
    this.lines.push(`# TYPE ${family} ${type === 'info' && !open ? 'gauge' : type}`);
    if (open && name.endsWith('_seconds')) this.lines.push(`# UNIT ${family} seconds`);
  }

  private sample(name: string, pairs: string, value: number): void {
    this.lines.push(`${name}${pairs === '' ? '' : `{${pairs}}`} ${number(value)}`);
  }

  /** OpenMetrics asks for a point or an exponent in every bound. */
  private bound(seconds: number): string {
    const text = String(seconds);
    return this.format === 'openmetrics' && Number.isInteger(seconds) ? `${text}.0` : text;
  }
}

function labelPairs(labels: Labels): string {
  let pairs = '';
  for (const label in labels) pairs += `${pairs === '' ? '' : ','}${label}="${escapeValue(labels[label]!)}"`;
  return pairs;
}

function number(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Of a label's value (and of OpenMetrics' HELP): backslash, double quote, line feed. */
function escapeValue(text: string): string {
  if (!/[\\"\n]/.test(text)) return text;
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** Of HELP in the text format: backslash and line feed only. */
function escapeHelp(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
}
