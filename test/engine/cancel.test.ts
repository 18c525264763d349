import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createScheduler } from 'frame-deadline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  codeOf,
  Gate,
  loadWork,
  noThreadIsLeft,
  quiet,
  sleep,
  threadCount,
  track,
  until,
  WORK_URL,
} from './support.js';

// Cancelling by AbortSignal, on real threads.

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const SUBMITS = 100_000;

let gate: Gate;
let threadsBefore: number;
beforeEach(() => {
  gate = new Gate();
  threadsBefore = threadCount();
});
afterEach(async () => {
  gate.open();
  await noThreadIsLeft(threadsBefore);
});

const create = async (mode: 'threads' | 'inline' = 'threads') =>
  track(
    await createScheduler({
      mode,
      lanes: {
        work: { tasks: WORK_URL, load: loadWork, deadlineMs: 60_000, capacitySlots: 64, shared: { gate: gate.words } },
      },
      ...(mode === 'threads' ? { workers: [{ lanes: ['work'] }] } : {}),
    }),
  );

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('a signal on a job', () => {
  it('ends at once what was not started, asks what runs, and lets go of the signal', async () => {
    const scheduler = await create();
    const { work } = scheduler.lanes;
    const { signal, abort } = controller();
    const running = scheduler.submit(work.untilCancelled, {}, { signal });
    await gate.arrived(1);
    const deaf = scheduler.submit(work.nothing, {});
    const waiting = Array.from({ length: 10 }, () => scheduler.submit(work.nothing, {}, { signal }));
    const done = Promise.all(waiting.map((job) => job.done));
    expect(listeners(signal)).toBe(1);
    abort();
    expect(waiting.map((job) => job.outcome)).toEqual(waiting.map(() => 'cancelled'));
    await done;
    await running.done;
    // its handler was told: what it left behind is not to be used
    expect(running.outcome).toBe('cancelled');
    expect(running.output.cancelled).toBe(1);
    await deaf.done;
    expect(deaf.outcome).toBe('onTime');
    expect(listeners(signal)).toBe(0);
    const counts = (await quiet(scheduler)).lanes.work;
    expect(counts.outcomes.cancelled).toBe(11);
    expect(counts.tasks['untilCancelled']!.executionUs.count).toBe(1);
    expect(counts.misses).toBe(0);
  });

  it('a handler that does not ask ends as if nothing had been said', async () => {
    const scheduler = await create();
    const { signal, abort } = controller();
    const job = scheduler.submit(scheduler.lanes.work.gate, { number: 7 }, { signal });
    await gate.arrived(1);
    abort();
    gate.open();
    await job.done;
    expect([job.outcome, job.output.number]).toEqual(['onTime', 7]);
  });

  it.each(['threads', 'inline'] as const)('aborted already: no handler is called (%s)', async (mode) => {
    const scheduler = await create(mode);
    const signal = AbortSignal.abort();
    gate.open();
    for (let i = 0; i < 200; i++) {
      const job = scheduler.submit(scheduler.lanes.work.gate, { number: i }, { signal });
      await job.done;
      expect(job.outcome).toBe('cancelled');
      job.release();
    }
    expect(Atomics.load(gate.words, 0)).toBe(0);
    expect(listeners(signal)).toBe(0);
    expect((await quiet(scheduler)).lanes.work.outcomes.cancelled).toBe(200);
  });

  it(`${SUBMITS} submits with one signal: one listener, no slot and no memory is kept`, {
    timeout: 60_000,
  }, async () => {
    const scheduler = await create();
    const { nothing } = scheduler.lanes.work;
    const { signal, abort } = controller();
    let most = 0;
    let refused = 0;
    const options = { signal };
    const some = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const job = scheduler.submit(nothing, {}, options);
        if (job.refused !== false) refused++;
        // half of them are forgotten: they give way when their slots are needed
        if ((i & 1) === 0) job.release();
        if ((i & 31) === 31) {
          most = Math.max(most, listeners(signal));
          await job.done;
        }
      }
    };
    await some(2000);
    const before = usedHeap();
    await some(SUBMITS);
    const grownBytes = usedHeap() - before;
    expect(refused).toBe(0);
    expect(most).toBe(1);
    // 64 jobs are held at most; a leak of one small object a submit would be some megabytes
    expect(grownBytes).toBeLessThan(1_500_000);
    abort();
    expect(listeners(signal)).toBe(0);
    expect((await quiet(scheduler)).lanes.work.submitted).toBe(SUBMITS + 2000);
  });

  it('close lets go of it', async () => {
    const scheduler = await create();
    const jobs = controller();
    const whole = controller();
    const other = track(
      await createScheduler({ lanes: { work: { tasks: WORK_URL, load: loadWork } }, signal: whole.signal }),
    );
    const frame = scheduler.beginFrame({ deadlineMs: 60_000, signal: jobs.signal });
    frame.submit(scheduler.lanes.work.gate, { number: 0 });
    scheduler.submit(scheduler.lanes.work.gate, { number: 1 }, { signal: jobs.signal });
    expect([listeners(jobs.signal), listeners(whole.signal)]).toEqual([1, 1]);
    gate.open();
    await scheduler.close();
    whole.abort();
    await other.close();
    expect([listeners(jobs.signal), listeners(whole.signal)]).toEqual([0, 0]);
  });

  it('wrong use is told', async () => {
    const scheduler = await create();
    const { nothing } = scheduler.lanes.work;
    const none = {} as AbortSignal;
    expect(await codeOf(() => scheduler.submit(nothing, {}, { signal: none }))).toBe('OPTION_INVALID');
    expect(await codeOf(() => scheduler.beginFrame({ signal: none }))).toBe('OPTION_INVALID');
    const frame = scheduler.beginFrame({ deadlineMs: 60_000, signal: controller().signal });
    expect(await codeOf(() => frame.join({ signal: controller().signal }))).toBe('OPTION_INVALID');
    expect(await frame.join()).toBe(true);
    expect((await quiet(scheduler)).lanes.work.submitted).toBe(0);
  });
});

describe('a signal on a frame', () => {
  it('cancels what was submitted and what is submitted afterwards, behind barriers too; the join ends', async () => {
    const scheduler = await create();
    const { work } = scheduler.lanes;
    const { signal, abort } = controller();
    const frame = scheduler.beginFrame({ deadlineMs: 60_000, signal });
    const running = frame.submit(work.untilCancelled);
    await gate.arrived(1);
    const ready = frame.submit(work.nothing, {});
    frame.barrier();
    const behind = frame.submit(work.nothing, {});
    abort();
    const after = frame.submit(work.nothing, {});
    expect(ready.outcome).toBe('cancelled');
    expect(await frame.join()).toBe(true);
    expect([running, behind, after].map((job) => job.outcome)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(listeners(signal)).toBe(0);
    // the frame's slot is as good as new
    for (let i = 0; i < 4; i++) {
      const next = scheduler.beginFrame({ deadlineMs: 60_000 });
      const job = next.submit(work.nothing, {});
      expect(await next.join()).toBe(true);
      expect(job.outcome).toBe('onTime');
    }
    await quiet(scheduler);
  });

  it('given to the join it is heard while that waits', async () => {
    const scheduler = await create();
    const { work } = scheduler.lanes;
    const { signal, abort } = controller();
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    const running = frame.submit(work.untilCancelled);
    const ready = frame.submit(work.nothing, {});
    const joined = frame.join({ signal });
    await gate.arrived(1);
    abort();
    expect(await joined).toBe(true);
    expect([running.outcome, ready.outcome]).toEqual(['cancelled', 'cancelled']);
    expect(listeners(signal)).toBe(0);
  });

  it('frames that end keep no listener', async () => {
    const scheduler = await create();
    const { signal } = controller();
    for (let i = 0; i < 300; i++) {
      const frame = scheduler.beginFrame({ deadlineMs: 60_000, signal });
      expect(frame.refused).toBe(false);
      frame.submit(scheduler.lanes.work.nothing, {});
      expect(listeners(signal)).toBe(1);
      if (i % 3 === 0) frame.joinSync();
      else if (i % 3 === 1) await frame.join();
      else await until('the frame is over', () => frame.poll());
      expect(listeners(signal)).toBe(0);
    }
  });

  it('without a signal a frame has none of its machinery', async () => {
    const scheduler = await create();
    const { nothing } = scheduler.lanes.work;
    const frames = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const frame = scheduler.beginFrame();
        for (let n = 0; n < 8; n++) frame.submit(nothing);
        frame.joinSync();
      }
    };
    frames(3000);
    await sleep(50);
    const before = usedHeap();
    frames(3000);
    // 24 000 jobs: an object for each would be more than that
    expect(usedHeap() - before).toBeLessThan(200_000);
  });
});

function controller(): { signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

/** Heap in use after a collection. */
function usedHeap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}
