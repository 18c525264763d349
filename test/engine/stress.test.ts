import { createScheduler, type Frame, type Handles } from 'frame-deadline';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  Gate,
  loadWork,
  quiet,
  randomFrom,
  seedOfRun,
  threadCount,
  threadsBackTo,
  until,
  WORK_URL,
  type WorkTasks,
} from './support.js';

// Random jobs, made from a seed, run over real threads. Whatever the number of workers and however frames overlap:
// each job runs exactly once, its fields add up, its checksum is the one that is computed here, nothing starts before
// its barrier, and the counts are exact (contract C1).

interface PlannedJob {
  readonly id: number;
  readonly frame: number;
  readonly before: number;
  readonly values: readonly number[];
  readonly cancel: boolean;
}
interface PlannedFrame {
  readonly stages: readonly (readonly PlannedJob[])[];
}
interface Plan {
  readonly frames: readonly PlannedFrame[];
  readonly singles: readonly PlannedJob[];
  readonly jobCount: number;
  /** By job id. */
  readonly jobs: readonly PlannedJob[];
}

const mix = (hash: number, value: number): number => Math.imul(hash ^ value, 0x9e3779b1) ^ (hash >>> 15);
const checksumOf = (job: PlannedJob): number => job.values.reduce(mix, job.id) | 0;

function makePlan(seed: number, frameCount: number, singleCount: number): Plan {
  const random = randomFrom(seed);
  const jobs: PlannedJob[] = [];
  const make = (frame: number, before: number, cancel: boolean): PlannedJob => {
    const values = Array.from({ length: random(33) }, () => random(2 ** 32));
    const job = { id: jobs.length, frame, before, values, cancel };
    jobs.push(job);
    return job;
  };
  const frames = Array.from({ length: frameCount }, (_, frame): PlannedFrame => {
    const stageCount = 1 + (random(3) === 0 ? random(5) : 0);
    let before = 0;
    const stages = Array.from({ length: stageCount }, (_unused, stage) => {
      const count = random(9); // none at all, too
      // cancelled jobs only where nobody counts on them
      const cancels = stage === stageCount - 1 && random(4) === 0;
      const made = Array.from({ length: count }, () => make(frame, before, cancels && random(2) === 0));
      before += count;
      return made;
    });
    return { stages };
  });
  const singles = Array.from({ length: singleCount }, () => make(frameCount, 0, random(8) === 0));
  return { frames, singles, jobs, jobCount: jobs.length };
}

type Sum = Handles<WorkTasks>['sum'];
type SumJob = ReturnType<typeof submitTo>;

function submitTo(target: Pick<Frame, 'submit'>, task: Sum, job: PlannedJob, inPlace: boolean) {
  const complement = -job.values.reduce((sum, value) => (sum + value) >>> 0, 0) >>> 0;
  const { id, frame, before } = job;
  if (inPlace) {
    const { input } = task;
    Object.assign(input, { id, frame, before, count: job.values.length, complement });
    input.values.set(job.values);
    return target.submit(task);
  }
  const values = [...job.values, ...new Array<number>(32 - job.values.length).fill(0)];
  return target.submit(task, { id, frame, before, count: job.values.length, values, complement });
}

function submitFrame(frame: Frame, task: Sum, planned: PlannedFrame, inPlace: (id: number) => boolean): SumJob[] {
  const jobs: SumJob[] = [];
  planned.stages.forEach((stage, i) => {
    if (i > 0) frame.barrier();
    for (const job of stage) {
      const submitted = submitTo(frame, task, job, inPlace(job.id));
      expect(submitted.refused).toBe(false);
      jobs.push(submitted);
      if (job.cancel) submitted.cancel();
    }
  });
  return jobs;
}

function checkJobs(jobs: readonly SumJob[], planned: readonly PlannedJob[]): void {
  jobs.forEach((job, i) => {
    const plan = planned[i]!;
    if (job.outcome === 'cancelled') {
      expect(plan.cancel, `job ${plan.id} was cancelled by nobody`).toBe(true);
      return;
    }
    expect(job.outcome).toMatch(/^(onTime|late)$/);
    expect(job.output.id).toBe(plan.id);
    expect(job.output.tally, `the fields of job ${plan.id} add up`).toBe(0);
    expect(job.output.checksum | 0).toBe(checksumOf(plan));
  });
}

interface Run {
  readonly workers: number;
  readonly framesInFlight: number;
  readonly loops: number;
  readonly hostHelps: boolean;
  readonly inline?: boolean;
}

async function run(
  plan: Plan,
  seed: number,
  { workers, framesInFlight, loops, hostHelps, inline }: Run,
): Promise<string> {
  const random = randomFrom(seed + 1);
  const words = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(length * 4));
  const shared = {
    runs: words(plan.jobCount),
    results: words(plan.jobCount),
    frameJobs: words(plan.frames.length + 1),
    faults: words(2),
  };
  const scheduler = await createScheduler({
    lanes: { work: { tasks: WORK_URL, load: loadWork, shared } },
    ...(inline === true ? { mode: 'inline' } : { workers: [{ lanes: ['work'], count: workers }] }),
    framesInFlight,
    hostHelps,
  });
  const task = scheduler.lanes.work.sum;
  const choices = Array.from({ length: plan.jobCount }, () => random(2) === 0);
  const inPlace = (id: number): boolean => choices[id]!;
  const left = [...plan.frames];
  const all: PromiseLike<unknown>[] = [];

  // loops side by side take their frames from the same list; each looks at a frame when its next one begins
  for (let n = 0; n < loops; n++) {
    const end = new AbortController();
    let before: { frame: Frame; jobs: SumJob[]; planned: PlannedFrame } | null = null;
    const look = (): void => {
      if (before !== null) checkJobs(before.jobs, before.planned.stages.flat());
      before = null;
    };
    all.push(
      scheduler.loop({ hz: 1000, deadlineMs: 60_000, signal: end.signal }, async (frame) => {
        if (before !== null && (framesInFlight === 1 || !before.frame.poll())) await before.frame.join();
        look();
        const planned = left.pop();
        if (planned === undefined) {
          end.abort();
          return;
        }
        const jobs = submitFrame(frame, task, planned, inPlace);
        before = { frame, jobs, planned };
        if (framesInFlight === 1 || jobs.length % 3 === 0) {
          await frame.join();
          look();
        }
      }),
    );
  }

  // meanwhile: frames of the host's own, joined in each way, and single jobs
  const singles: { job: SumJob; planned: PlannedJob }[] = [];
  const nextSingles = [...plan.singles];
  const submitSingles = (count: number): void => {
    for (const planned of nextSingles.splice(0, count)) {
      const job = submitTo(
        {
          submit: ((t: Sum, input: undefined) => scheduler.submit(t, input, { deadlineMs: 60_000 })) as Frame['submit'],
        },
        task,
        planned,
        inPlace(planned.id),
      );
      expect(job.refused).toBe(false);
      if (planned.cancel) job.cancel();
      singles.push({ job, planned });
    }
  };
  const drainSingles = async (): Promise<void> => {
    for (const { job, planned } of singles.splice(0)) {
      expect(await job.done).toBe(job);
      checkJobs([job], [planned]);
      job.release();
      expect(await codeOfRead(job)).toBe('JOB_STALE');
    }
  };
  for (let turn = 0; left.length > 0 || nextSingles.length > 0; turn++) {
    submitSingles(random(12));
    const planned = left.pop();
    if (planned !== undefined) {
      const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
      expect(frame.refused).toBe(false);
      const jobs = submitFrame(frame, task, planned, inPlace);
      const way = turn % 3;
      if (way === 0) expect(await frame.join()).toBe(true);
      else if (way === 1) expect(frame.joinSync({ help: hostHelps })).toBe(true);
      else await until('poll', () => frame.poll());
      checkJobs(jobs, planned.stages.flat());
    }
    if (turn % 4 === 3) await drainSingles();
  }
  await Promise.all(all);
  await drainSingles();

  const snapshot = await quiet(scheduler);
  const counts = snapshot.lanes['work']!.tasks['sum']!;
  expect(counts.submitted).toBe(plan.jobCount);
  expect(counts.refused).toBe(0);
  expect(counts.outcomes.onTime + counts.outcomes.cancelled).toBe(plan.jobCount);
  await scheduler.close();

  expect([...shared.faults], 'jobs before their barrier, torn payloads').toEqual([0, 0]);
  let ran = 0;
  const results = plan.jobs.map((job) => {
    const runs = shared.runs[job.id]!;
    ran += runs;
    if (!job.cancel) expect(runs, `runs of job ${job.id}`).toBe(1);
    else expect(runs).toBeLessThanOrEqual(1);
    if (runs === 1) expect(shared.results[job.id]).toBe(checksumOf(job));
    return job.cancel ? 'may be cancelled' : shared.results[job.id]!;
  });
  expect(ran).toBe(counts.outcomes.onTime);
  return results.join(' ');
}

const codeOfRead = async (job: SumJob): Promise<string> => {
  try {
    void job.output;
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('random jobs over real threads', () => {
  const seed = seedOfRun();
  const plan = makePlan(seed, 400, 1200);
  let threadsBefore = 0;
  let reference = '';

  beforeAll(async () => {
    const warmUp = await createScheduler({ lanes: { work: { tasks: WORK_URL, load: loadWork, shared: {} } } });
    await warmUp.close();
    threadsBefore = threadCount();
    reference = await run(plan, seed, { workers: 1, framesInFlight: 1, loops: 0, hostHelps: false, inline: true });
  });

  const runs: Run[] = [
    { workers: 1, framesInFlight: 2, loops: 2, hostHelps: false },
    { workers: 1, framesInFlight: 1, loops: 0, hostHelps: true },
    { workers: 2, framesInFlight: 1, loops: 1, hostHelps: false },
    { workers: 2, framesInFlight: 2, loops: 0, hostHelps: true },
    { workers: 2, framesInFlight: 3, loops: 3, hostHelps: true },
    { workers: 4, framesInFlight: 1, loops: 3, hostHelps: true },
    { workers: 4, framesInFlight: 2, loops: 2, hostHelps: false },
    { workers: 4, framesInFlight: 3, loops: 1, hostHelps: false },
  ];
  it.each(runs)(
    '$workers workers, $framesInFlight frames in flight, $loops loops, host helps: $hostHelps',
    async (setup) => {
      expect(await run(plan, seed, setup)).toBe(reference);
      await threadsBackTo(threadsBefore);
    },
  );

  it('many jobs awaited one by one: none is forgotten', async () => {
    const scheduler = await createScheduler({
      lanes: { work: { tasks: WORK_URL, load: loadWork, shared: {} } },
      workers: [{ lanes: ['work'], count: 2 }],
    });
    for (let round = 0; round < 100; round++) {
      const jobs = Array.from({ length: 50 }, () => scheduler.submit(scheduler.lanes.work.nothing));
      await Promise.all(jobs.map((job) => job.done));
      for (const job of jobs) job.release();
    }
    await quiet(scheduler);
    await scheduler.close();
    await threadsBackTo(threadsBefore);
  });

  it('overload: what a small ring refuses is counted, the rest runs once', async () => {
    const random = randomFrom(seed + 2);
    const gate = new Gate();
    const scheduler = await createScheduler({
      lanes: { work: { tasks: WORK_URL, load: loadWork, capacitySlots: 16, shared: { gate: gate.words } } },
      workers: [{ lanes: ['work'], count: 2 }],
      framesInFlight: 1,
    });
    const { gate: gated, sum } = scheduler.lanes.work;
    for (let round = 0; round < 30; round++) {
      gate.shut();
      const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
      const blockers = [frame.submit(gated, { number: 1 }), frame.submit(gated, { number: 2 })];
      const count = 1 + random(40);
      const jobs = Array.from({ length: count }, (_, id) =>
        submitTo(frame, sum, { id, frame: 0, before: 0, values: [id], cancel: false }, random(2) === 0),
      );
      const refused = jobs.filter((job) => job.refused !== false);
      expect(refused.length).toBe(Math.max(0, count + blockers.length - 16));
      expect(refused.every((job) => job.refused === 'full')).toBe(true);
      gate.open();
      expect(frame.joinSync()).toBe(true);
      for (const [id, job] of jobs.entries()) {
        if (job.refused === false) expect(job.output.id).toBe(id);
        else expect(job.outcome).toBe('refused');
      }
    }
    await quiet(scheduler);
    await scheduler.close();
    await threadsBackTo(threadsBefore);
  });
});
