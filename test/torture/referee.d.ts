import type { JobRecord } from './ledger.js';

export interface Evidence {
  jobs: JobRecord[];
  starts: Int32Array;
  ends: Int32Array;
  startTickets: Int32Array;
  endTickets: Int32Array;
  // biome-ignore lint/suspicious/noExplicitAny: counts of a snapshot, spoilt on purpose
  lanes: Record<string, any>;
  periods: Record<string, Int32Array>;
  deaths: number;
  cut: boolean;
  unexpected: string[];
}
export function judge(evidence: Evidence): string[];
