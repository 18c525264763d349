export interface SoakSample {
  atS: number;
  [key: string]: number | null;
}
export interface Growth {
  what: string;
  unit: string;
  from: number | null;
  to: number | null;
  mayGrow: number;
  grew: boolean;
}
export function growth(samples: readonly SoakSample[]): Growth[];
export function faults(
  samples: readonly SoakSample[],
  report: unknown,
  limits: { maxXruns: number; maxMissPercent: number },
): string[];
