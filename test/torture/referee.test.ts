import { describe, expect, it } from 'vitest';
import type { JobRecord } from './ledger.js';
import { type Evidence, judge } from './referee.js';

const CAUSES = { lateSubmit: 0, crashed: 0, unknown: 0, shed: 0 };
const counts = () => ({
  submitted: 0,
  accepted: 0,
  refused: 0,
  inFlight: 0,
  misses: 0,
  outcomes: { onTime: 0, late: 0, expired: 0, failed: 0, cancelled: 0, lost: 0 } as Record<string, number>,
  refusals: { full: 0, closed: 0 } as Record<string, number>,
  missCauses: { ...CAUSES } as Record<string, number>,
});

interface Sketch {
  outcome?: string | null;
  refused?: string;
  task?: string;
  starts?: number;
  ends?: number;
  frame?: number;
  stage?: number;
}

/** A round in which all is as it should be, for jobs as they are sketched. */
function evidenceOf(sketches: readonly Sketch[]): Evidence {
  const words = () => new Int32Array(64);
  const [starts, ends, startTickets, endTickets] = [words(), words(), words(), words()];
  let ticket = 0;
  const jobs = sketches.map(
    ({ outcome = 'onTime', refused, task = 'fine', frame = -1, stage = 0, ...runs }, id): JobRecord => {
      const ran = refused === undefined && (outcome === 'onTime' || outcome === 'late') ? 1 : 0;
      starts[id] = runs.starts ?? ran;
      ends[id] = runs.ends ?? ran;
      if (starts[id] !== 0) startTickets[id] = ++ticket;
      if (ends[id] !== 0) endTickets[id] = ++ticket;
      const idempotent = task === 'steady';
      return {
        id,
        lane: 'a',
        task,
        idempotent,
        frame,
        stage,
        refused: refused ?? false,
        outcome: refused === undefined ? outcome : null,
        wrong: null,
      };
    },
  );
  const tasks: Record<string, ReturnType<typeof counts>> = {};
  const lane = { ...counts(), tasks };
  for (const { task, refused, outcome } of jobs) {
    tasks[task] ??= counts();
    for (const of of [lane, tasks[task]]) {
      of.submitted++;
      if (refused !== false) {
        of.refused++;
        of.refusals[refused]!++;
        continue;
      }
      of.accepted++;
      of.outcomes[outcome!]!++;
      if (outcome === 'late' || outcome === 'expired' || outcome === 'lost') {
        of.misses++;
        of.missCauses['unknown']!++;
      }
    }
  }
  return {
    jobs,
    starts,
    ends,
    startTickets,
    endTickets,
    lanes: { a: lane },
    periods: {},
    deaths: 0,
    cut: true,
    unexpected: [],
  };
}

const ALL: readonly Sketch[] = [
  {},
  { outcome: 'late' },
  { outcome: 'expired' },
  { outcome: 'failed', starts: 1 },
  { outcome: 'cancelled' },
  { outcome: 'lost', starts: 1 },
  { refused: 'full' },
  { task: 'steady', starts: 2 },
];

/** What the referee says about a round that was spoilt. */
function said(spoil: (evidence: Evidence) => void, sketches = ALL): string {
  const evidence = evidenceOf(sketches);
  spoil(evidence);
  return judge(evidence).join('\n');
}

describe('the referee', () => {
  it('has nothing against a round in which all is well', () => {
    expect(judge(evidenceOf(ALL))).toEqual([]);
    expect(judge(evidenceOf([]))).toEqual([]);
  });

  it('finds a job that was lost from sight', () => {
    expect(said(({ jobs }) => (jobs[0]!.outcome = 'pending'))).toMatch(/job 0 .* has no outcome/);
    expect(said(({ jobs }) => (jobs[0]!.outcome = null))).toMatch(/job 0 .* has no outcome/);
  });

  it('finds a job that telemetry forgot, or counted twice', () => {
    const forget = (by: number) => (evidence: Evidence) => {
      for (const of of [evidence.lanes['a'], evidence.lanes['a'].tasks.fine]) {
        of.submitted += by;
        of.accepted += by;
        of.outcomes.onTime += by;
      }
    };
    expect(said(forget(-1))).toMatch(/a.fine: 0 counted as onTime, the host saw 1/);
    expect(said(forget(1))).toMatch(/a.fine: 2 counted as onTime, the host saw 1/);
    expect(said(({ lanes }) => lanes['a'].tasks.fine.outcomes.onTime--)).toMatch(/6 accepted, and ended/);
    expect(said(({ lanes }) => lanes['a'].submitted++)).toMatch(/a: 9 submitted, 7 accepted and 1 refused/);
    expect(said(({ lanes }) => lanes['a'].tasks.fine.inFlight++)).toMatch(/1 in flight after the end/);
    expect(said(({ lanes }) => lanes['a'].missCauses.unknown--)).toMatch(/3 misses, by cause/);
  });

  it('finds an outcome that is told to the host as another one', () => {
    expect(said(({ jobs }) => (jobs[0]!.outcome = 'late'))).toMatch(/counted as late, the host saw 2/);
    expect(said(({ jobs }) => (jobs[6]!.refused = 'closed'))).toMatch(/counted as refused \(full\), the host saw 0/);
  });

  it('finds a job that ran twice, unless it is idempotent', () => {
    expect(said(({ starts }) => (starts[0] = 2))).toMatch(/job 0 .* was started too often/);
    expect(said(({ ends }) => (ends[0] = 2))).toMatch(/job 0 .* came to its end 2 times/);
    expect(said(({ starts }) => (starts[7] = 3))).toMatch(/job 7 .* was started too often/);
  });

  it('finds a job that ended well and did not run, and one that ran and should not have', () => {
    expect(said(({ starts, ends }) => (starts[0] = ends[0] = 0))).toMatch(/job 0 .* was not run to its end/);
    expect(said(({ starts }) => (starts[2] = 1))).toMatch(/job 2 .*expired.* was run/);
    expect(said(({ starts }) => (starts[6] = 1))).toMatch(/job 6 .* ran although it was refused/);
    expect(said(({ starts }) => (starts[40] = 1))).toMatch(/job 40 ran 1 times and was never submitted/);
  });

  it('finds a job that was lost although no worker died and nobody closed', () => {
    expect(said((evidence) => (evidence.cut = false))).toMatch(/job 5 .*lost\), and no worker has died/);
  });

  it('finds wrong outputs and errors that nobody expects', () => {
    expect(said(({ jobs }) => (jobs[0]!.wrong = 'output.sum is 3'))).toMatch(/job 0 .* output.sum is 3/);
    expect(said(({ unexpected }) => unexpected.push('a join was rejected'))).toMatch(/a join was rejected/);
  });

  it('finds a job that began before the barrier in front of it', () => {
    const frame: readonly Sketch[] = [
      { frame: 0, stage: 0 },
      { frame: 0, stage: 0 },
      { frame: 0, stage: 1 },
    ];
    expect(said(() => {}, frame)).toBe('');
    expect(said(({ startTickets }) => (startTickets[2] = 3), frame)).toMatch(
      /job 2 .* began before the stages in front/,
    );
    // the other one began before its neighbour: that is allowed
    expect(said(({ startTickets }) => (startTickets[1] = 1), frame)).toBe('');
  });

  it('finds periods that ran twice, or without being counted', () => {
    const periodic = (runs: number[], outcomes: object) => (evidence: Evidence) => {
      evidence.periods['a'] = Int32Array.from(runs);
      const tick = { ...counts(), submitted: 3, accepted: 3 };
      Object.assign(tick.outcomes, { onTime: 3 }, outcomes);
      const lane = evidence.lanes['a'];
      lane.tasks.tick = tick;
      lane.submitted += 3;
      lane.accepted += 3;
      for (const [name, count] of Object.entries(tick.outcomes)) lane.outcomes[name] += count;
    };
    expect(said(periodic([1, 1, 1], {}))).toBe('');
    expect(said(periodic([1, 2, 0], {}))).toMatch(/period 1 of lane a ran 2 times/);
    expect(said(periodic([1, 1, 1, 1], {}))).toMatch(/lane a: 4 periods ran/);
    expect(said(periodic([1, 1, 0], {}))).toMatch(/lane a: 2 periods ran/);
  });
});
