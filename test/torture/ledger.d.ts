export interface JobRecord {
  id: number;
  lane: string;
  task: string;
  idempotent: boolean;
  frame: number;
  stage: number;
  refused: string | false;
  outcome: string | null;
  wrong: string | null;
}
