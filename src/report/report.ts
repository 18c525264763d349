/** `frame-deadline/report`: telemetry as HTML, CSV and JSON, and two runs compared. Pure functions for Node and pages. */

export {
  COMPARISON_RULE,
  type ComparedFigure,
  type ComparedPart,
  type ComparedSources,
  type Comparison,
  compareTelemetry,
  type Finding,
} from './compare/compare.js';
export type { ConditionDifference } from './compare/conditions.js';
export { csvOfFrames } from './csv.js';
export { type HtmlReportOptions, htmlReport } from './html/html-report.js';
export { type Lack, type Source, WHOLE_TELEMETRY } from './lacks.js';
export { low1Integral, low1Percentile } from './lows.js';
export { checkTelemetry, parseTelemetry } from './parse-telemetry.js';
export { telemetrySchema } from './telemetry-schema.js';
