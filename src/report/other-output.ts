/** Other JSON of this package that is taken for telemetry: what it is, and what to save instead. */

/** In words that follow `FILE is`, or null for anything else. */
export function describeOtherOutput(record: Readonly<Record<string, unknown>>): string | null {
  // telemetry itself has lists of lanes and moments of its own
  if (Array.isArray(record['lanes']) && has(record, ['fromUs', 'toUs'])) return null;
  if (has(record, ['atUs', 'closing', 'lanes', 'missRecordsOverwritten'])) {
    return 'a snapshot (`scheduler.snapshot()`), which has quantiles but no distributions; save `JSON.stringify(scheduler.telemetry())` instead';
  }
  if (has(record, ['interrupted', 'durationS', 'audio', 'files'])) {
    const offline = 'an offline run measures nothing that could be reported';
    return `what \`frame-deadline demo --json\` prints, or the report of an offline run, without the telemetry; give the report.json in the demo's folder instead (${offline})`;
  }
  if (has(record, ['process', 'atUnixMs', 'uptimeUs', 'intervalUs'])) {
    return 'what `frame-deadline top --json` prints, one interval without the distributions; save `JSON.stringify(scheduler.telemetry())` in the app instead';
  }
  return null;
}

function has(record: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  return names.every((name) => Object.hasOwn(record, name));
}
