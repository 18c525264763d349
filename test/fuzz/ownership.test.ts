import { createScheduler, type SchedulerOptions } from 'frame-deadline';
import { afterEach, describe, expect, it } from 'vitest';

type Tasks = typeof import('./tasks/keeping.tasks.js');
const tasks = new URL('./tasks/keeping.tasks.js', import.meta.url);

const open: { close(options: { drainMs: number }): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((scheduler) => scheduler.close({ drainMs: 100 })));
});

async function schedulerOf(development: boolean, mode: 'inline' | 'threads' = 'inline') {
  const options: SchedulerOptions<{ work: Tasks }> = {
    mode,
    development,
    lanes: { work: { tasks, load: () => import('./tasks/keeping.tasks.js'), deadlineMs: 60_000, capacitySlots: 8 } },
    ...(mode === 'threads' ? { workers: [{ lanes: ['work'] }] } : {}),
  };
  const scheduler = await createScheduler(options);
  open.push(scheduler);
  return scheduler;
}

const input = (what: number) => ({ what, value: 7, values: [1, 2, 3, 4], text: new Uint8Array([1, 2, 3]) });

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'nothing was thrown';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

describe.each(['inline', 'threads'] as const)('development mode, %s', (mode) => {
  it('gives the same results', async () => {
    const { lanes, submit } = await schedulerOf(true, mode).then((scheduler) => ({
      lanes: scheduler.lanes,
      submit: scheduler.submit.bind(scheduler),
    }));
    const job = await submit(lanes.work.keep, input(0)).done;
    expect(job.outcome).toBe('onTime');
    expect(job.output.value).toBe(7);
    expect([...job.output.values]).toEqual([1, 2, 3, 4]);
    expect([...job.output.text.copy()]).toEqual([1, 2, 3]);
    lanes.work.keep.input.what = 0;
    lanes.work.keep.input.value = 8;
    const next = await submit(lanes.work.keep).done;
    expect(next.output.value).toBe(8);
  });

  it.each([
    [1, 'reads its input', 'JOB_STALE'],
    [2, 'writes its output', 'JOB_STALE'],
    [3, 'asks its context', 'JOB_STALE'],
    [4, 'fills an array of its output', undefined],
    [5, 'asks its output for an array', 'JOB_STALE'],
    [6, 'copies bytes of its input', undefined],
  ])('finds a handler that later %i: %s', async (what, _, code) => {
    const scheduler = await schedulerOf(true, mode);
    const first = await scheduler.submit(scheduler.lanes.work.keep, input(0)).done;
    const second = await scheduler.submit(scheduler.lanes.work.keep, input(what)).done;
    expect(second.outcome).toBe('failed');
    const cause = second.error!.cause as Error & { code?: string };
    if (code === undefined) expect(cause.name).toBe('TypeError');
    else {
      expect(cause.code).toBe(code);
      expect(cause.message).toContain('work.keep');
    }
    expect([...first.output.values], 'what the first one wrote').toEqual([1, 2, 3, 4]);
  });

  it('an element of an array that a handler kept is nobody else’s', async () => {
    const scheduler = await schedulerOf(true, mode);
    const first = await scheduler.submit(scheduler.lanes.work.keep, input(0)).done;
    const second = await scheduler.submit(scheduler.lanes.work.keep, input(7)).done;
    expect(second.outcome).toBe('onTime');
    expect(second.output.value).toBe(0);
    expect([...first.output.values]).toEqual([1, 2, 3, 4]);
  });
});

describe('development mode, on the submitting side', () => {
  it('finds a job that is kept past its frame', async () => {
    const scheduler = await schedulerOf(true);
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    const job = frame.submit(scheduler.lanes.work.keep, input(0));
    await frame.join();
    expect(job.output.value).toBe(7);
    const { values } = job.output;
    const { output } = job;
    // two frames in flight: the frame after the next uses the same slot
    for (let i = 0; i < 3; i++) {
      const next = scheduler.beginFrame({ deadlineMs: 60_000 });
      next.submit(scheduler.lanes.work.keep, input(0));
      await next.join();
    }
    for (const ask of [
      () => job.outcome,
      () => job.ended,
      () => job.output,
      () => job.error,
      () => job.done,
      () => job.cancel(),
      () => job.release(),
      () => job.queueingUs + job.executionUs + job.latenessUs,
      () => output.value,
      () => output.values,
    ]) {
      expect(codeOf(ask)).toBe('JOB_STALE');
    }
    expect(values.length).toBe(0);
  });

  it('resolves a job’s `done` that is awaited across the end of its frame', async () => {
    const scheduler = await schedulerOf(true);
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    const { done } = frame.submit(scheduler.lanes.work.keep, input(0));
    frame.joinSync();
    for (let i = 0; i < 3; i++) scheduler.beginFrame({ deadlineMs: 60_000 }).poll();
    await done;
  });

  it('finds an input that is kept past its submit', async () => {
    const scheduler = await schedulerOf(true);
    const { keep } = scheduler.lanes.work;
    const kept = keep.input;
    kept.what = 0;
    kept.value = 5;
    const { values } = kept;
    const job = scheduler.submit(keep);
    expect(codeOf(() => (kept.value = 6))).toBe('JOB_STALE');
    expect(codeOf(() => kept.values)).toBe('JOB_STALE');
    expect(() => values.set([1])).toThrow(TypeError);
    await job.done;
    expect(job.output.value).toBe(5);
  });

  it('finds an output that is kept past the release of its job', async () => {
    const scheduler = await schedulerOf(true);
    const job = await scheduler.submit(scheduler.lanes.work.keep, input(0)).done;
    const { output } = job;
    job.release();
    job.release(); // once more: nothing
    expect(codeOf(() => output.value)).toBe('JOB_STALE');
    expect(codeOf(() => job.output)).toBe('JOB_STALE');
    expect(job.outcome).toBe('onTime');
  });

  it('wants a boolean', async () => {
    await expect(schedulerOf('yes' as never)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });
});

describe('handles and jobs in production', () => {
  it('refuses handles of another scheduler, copies and forgeries', async () => {
    const [one, other] = [await schedulerOf(false), await schedulerOf(false)];
    const { keep } = one.lanes.work;
    const forged = [
      other.lanes.work.keep,
      { ...keep },
      JSON.parse(JSON.stringify({ name: keep.name, ringIndex: 0, producer: {} })),
      null,
      undefined,
      7,
      'keep',
      {},
    ];
    const frame = one.beginFrame({ deadlineMs: 60_000 });
    for (const handle of forged) {
      expect(codeOf(() => one.submit(handle as never, input(0) as never))).toBe('TASK_UNKNOWN');
      expect(codeOf(() => frame.submit(handle as never, input(0) as never))).toBe('TASK_UNKNOWN');
    }
    frame.poll();
    expect(() => structuredClone(keep)).toThrow(/could not be cloned/);
    const counts = one.snapshot().lanes.work;
    expect([counts.submitted, counts.accepted, counts.refused]).toEqual([0, 0, 0]);
  });

  it('a job that gave its slot back keeps its outcome and refuses the rest', async () => {
    const scheduler = await schedulerOf(false);
    const { keep } = scheduler.lanes.work;
    const job = await scheduler.submit(keep, input(0)).done;
    job.release();
    job.release();
    expect(job.cancel()).toBe(false);
    const later = await scheduler.submit(keep, { ...input(0), value: 9 }).done;
    expect(job.outcome).toBe('onTime');
    expect(codeOf(() => job.output)).toBe('JOB_STALE');
    expect(later.output.value).toBe(9);
    expect(() => structuredClone(job)).toThrow(/could not be cloned/);
  });

  it('an unreleased job whose slot a full ring took for another is stale, not another', async () => {
    const scheduler = await schedulerOf(false);
    const { keep } = scheduler.lanes.work;
    const first = await scheduler.submit(keep, input(0)).done;
    for (let i = 0; i < 20; i++) await scheduler.submit(keep, { ...input(0), value: 100 + i }).done;
    expect(first.outcome).toBe('onTime');
    expect(codeOf(() => first.output)).toBe('JOB_STALE');
    expect(first.cancel()).toBe(false);
  });

  it('what a handler kept cannot end or claim a job twice', async () => {
    const scheduler = await schedulerOf(false);
    const { keep } = scheduler.lanes.work;
    const job = await scheduler.submit(keep, input(0)).done;
    await scheduler.submit(keep, input(2)).done;
    expect(job.outcome).toBe('onTime');
    const { accepted, inFlight, outcomes } = scheduler.snapshot().lanes.work;
    expect([accepted, inFlight, outcomes.onTime]).toEqual([2, 0, 2]);
  });
});
