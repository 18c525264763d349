import inspector from 'node:inspector';
import { createScheduler } from 'frame-deadline';
import { describe, expect, it } from 'vitest';
import { sums } from '../telemetry/causes-support.js';
import { sleep, until } from './support.js';

const lanes = {
  lane: {
    tasks: new URL('./tasks/faults.tasks.js', import.meta.url),
    load: () => import('./tasks/faults.tasks.js'),
    deadlineMs: 8,
  },
};
const start = () => createScheduler({ lanes, workers: [{ lanes: ['lane'], name: 'worker' }] });

describe('causes on real threads', () => {
  it('says where each signal comes from, and why one is missing', async () => {
    await using scheduler = await start();
    const { probes } = scheduler.telemetry().workers[0]!;
    for (const { source, reason } of Object.values(probes)) expect((source === null) !== (reason === null)).toBe(true);
    expect(probes.gc.source).toBe('v8.getHeapSpaceStatistics');
    if (process.platform === 'linux') {
      expect(probes).toMatchObject({ preempted: { source: 'schedstat' }, onCpu: { source: 'schedstat' } });
    }
  });

  it('parts of every miss add up to its response time; a signal is null exactly where there is no source', async () => {
    await using scheduler = await start();
    const { lane } = scheduler.lanes;
    for (let i = 0; i < 10; i++) {
      const frame = scheduler.beginFrame({ deadlineMs: 8 });
      frame.submit(lane.compute, { us: 9000 });
      frame.submit(lane.litter, { objects: 50_000 });
      frame.submit(lane.sleep, { us: 9000 });
      await frame.join();
    }
    const misses = scheduler.recentMisses();
    expect(misses.length).toBeGreaterThanOrEqual(30);
    const { preempted, gc, onCpu } = scheduler.telemetry().workers[0]!.probes;
    for (const miss of misses) {
      const { parts, responseUs } = sums(miss);
      expect(parts).toBe(responseUs);
      const { segments } = miss;
      for (const value of Object.values(segments)) if (value !== null) expect(value).toBeGreaterThanOrEqual(0);
      expect(segments.preemptedUs === null).toBe(preempted.source === null);
      expect(segments.gcUs === null).toBe(gc.source === null);
      expect(segments.onCpuUs === null).toBe(onCpu.source === null);
      expect(miss.causes).toContain(miss.cause);
      expect(miss.worker).toBe('worker');
      expect(miss.flags).not.toContain('debugger');
    }
    // a thread that sleeps is on no CPU, whatever else the machine does
    const asleep = misses.filter(({ task, segments }) => task === 'sleep' && segments.onCpuUs !== null);
    for (const { segments } of asleep) {
      expect(segments.onCpuUs).toBeLessThan(9000);
      expect(segments.unattributedUs + segments.preemptedUs! + segments.gcUs!).toBeGreaterThan(0);
    }
    // who was in the way: the job before it on the same worker
    for (const { task, culprit } of misses.filter(({ cause }) => cause === 'waitingBehind')) {
      expect(culprit).toMatchObject({ kind: 'job', lane: 'lane' });
      expect(culprit!.task).not.toBe(task);
    }
  });

  it('a job whose worker dies is lost because of a crash', async () => {
    await using scheduler = await start();
    const job = scheduler.submit(scheduler.lanes.lane.exit, {});
    await job.done;
    await until('the miss is recorded', () => scheduler.recentMisses().length > 0);
    expect(scheduler.recentMisses()[0]).toMatchObject({ outcome: 'lost', cause: 'crashed', task: 'exit' });
    const miss = scheduler.recentMisses()[0]!;
    expect(sums(miss).parts).toBe(sums(miss).responseUs);
    expect(miss.segments).toMatchObject({ gcUs: null, preemptedUs: null, onCpuUs: null });
  });

  it('a job that runs too long is lost because it hung, and its worker comes back', async () => {
    await using scheduler = await createScheduler({
      lanes,
      workers: [{ lanes: ['lane'], name: 'worker' }],
      hangMs: 200,
    });
    const { lane } = scheduler.lanes;
    // idle for longer than that: the watch sleeps, and is woken by the next job
    const before = scheduler.submit(lane.compute, { us: 10 });
    await before.done;
    await sleep(500);
    const hung = scheduler.submit(lane.compute, { us: 3_600_000_000 });
    const waiting = scheduler.submit(lane.compute, { us: 10 }, { deadlineMs: 60_000 });
    await hung.done;
    expect(hung.outcome).toBe('lost');
    await waiting.done;
    expect(waiting.outcome).toBe('onTime');
    const miss = scheduler.recentMisses().find(({ outcome }) => outcome === 'lost');
    expect(miss).toMatchObject({ cause: 'hung', causes: ['hung'], task: 'compute' });
    expect(sums(miss!).parts).toBe(sums(miss!).responseUs);
    const { workers } = await scheduler.refresh();
    expect(workers[0]).toMatchObject({ state: 'serving', deaths: 1 });
    expect(workers[0]!.lastDeath).toMatch(/^ended after its job had run for \d+ ms$/);
  });

  it('while an inspector listens, misses carry the flag debugger', async () => {
    await using scheduler = await start();
    inspector.open(0);
    try {
      const job = scheduler.submit(scheduler.lanes.lane.compute, { us: 9000 });
      await job.done;
    } finally {
      inspector.close();
    }
    const later = scheduler.submit(scheduler.lanes.lane.compute, { us: 9000 });
    await later.done;
    expect(scheduler.recentMisses().map(({ flags }) => flags)).toEqual([['debugger'], []]);
  });
});
