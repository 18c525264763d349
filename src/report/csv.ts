/**
 * Frames as comma-separated values (RFC 4180): a header row, a row per frame, lines ended by CRLF, numbers with a
 * decimal point. Pure: allocates the text, touches nothing else.
 */
import type { FrameRecord, Miss, Telemetry } from '../telemetry/telemetry-data.js';
import { missesByFrame } from './frame-misses.js';

/** Columns in order; what is not known of a frame is an empty cell. */
const COLUMNS: readonly [header: string, cell: (frame: FrameRecord, miss: Miss | null) => string | number | null][] = [
  ['loop', (frame) => frame.loop],
  ['frame', (frame) => frame.number],
  ['outcome', (frame) => frame.outcome],
  // above 1 where several dropped ticks in a row are one record
  ['ticks', (frame) => frame.ticks],
  ['tick_at_us', (frame) => frame.tickAtUs],
  ['called_at_us', (frame) => frame.calledAtUs],
  ['submitted_at_us', (frame) => frame.submittedAtUs],
  ['finished_at_us', (frame) => frame.finishedAtUs],
  ['deadline_at_us', (frame) => frame.deadlineAtUs],
  ['tick_error_us', (frame) => since(frame.tickAtUs, frame.calledAtUs)],
  ['submitting_us', (frame) => since(frame.tickAtUs, frame.submittedAtUs)],
  ['frame_time_us', (frame) => since(frame.tickAtUs, frame.finishedAtUs ?? frame.submittedAtUs)],
  ['tardiness_us', (frame) => since(frame.deadlineAtUs, frame.finishedAtUs ?? frame.submittedAtUs)],
  ['jobs', (frame) => frame.jobs],
  ['missed_jobs', (frame) => frame.misses],
  // of the frame's worst miss that is kept
  ['worst_miss_task', (_, miss) => (miss === null ? null : `${miss.lane}.${miss.task}`)],
  ['worst_miss_cause', (_, miss) => miss?.cause ?? null],
  ['worst_miss_tardiness_us', (_, miss) => miss?.tardinessUs ?? null],
  ['culprit', (_, miss) => (miss?.culprit == null ? null : `${miss.culprit.lane}.${miss.culprit.task}`)],
];

/** The first line, without its end. */
export const CSV_HEADER = COLUMNS.map(([header]) => header).join(',');

/** A row per frame that the telemetry holds, oldest first, dropped ticks among them. */
export function csvOfFrames(telemetry: Telemetry): string {
  const missesOf = missesByFrame(telemetry);
  const lines = [CSV_HEADER];
  for (const frame of telemetry.frames) {
    const worst = missesOf.get(frame)?.[0] ?? null;
    lines.push(COLUMNS.map(([, cell]) => csvCell(cell(frame, worst))).join(','));
  }
  return `${lines.join('\r\n')}\r\n`;
}

/**
 * One cell. A spreadsheet runs text that begins with = + - @ (or with a tab or line break before them) as a formula, so
 * an apostrophe is put before it (OWASP, "CSV Injection"); numbers are left as they are.
 */
export function csvCell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return Number.isFinite(value) ? `${Math.round(value * 1000) / 1000}` : '';
  const safe = /^[\s]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/u.test(value) ? `'${value}` : value;
  return /[",\r\n\t;']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function since(fromUs: number, toUs: number | null): number | null {
  return toUs === null ? null : toUs - fromUs;
}
