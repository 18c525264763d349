export interface PlannedJob {
  id: number;
  lane: string;
  task: string;
  us: number;
}
export interface Action {
  atMs: number;
  kind: string;
}
export interface Plan {
  seed: number;
  round: number;
  temper: string;
  options: {
    lanes: { name: string; transfer: string | null }[];
    workers: { lanes: string[]; count: number }[] | null;
    hangMs: number | null;
    hostHelps: boolean;
    limited: boolean;
  };
  actions: Action[];
  jobs: number;
  startFault: { kind: string; atMs: number; nth: number } | null;
}
export function planRound(seed: number, round: number): Plan;
export function jobsOf(action: Action): PlannedJob[];
