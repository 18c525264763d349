import { once } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { createScheduler, type LaneOptions, type Scheduler, type SchedulerOptions } from 'frame-deadline';
import { createTestScheduler } from 'frame-deadline/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, noThreadIsLeft, quiet, taskUrl, threadCount, track, until } from './support.js';

type Tasks = typeof import('./tasks/transfer.tasks.js');

const URL_OF_TASKS = taskUrl('transfer.tasks.js');
const load = (): Promise<Tasks> => import('./tasks/transfer.tasks.js');
const LONG = { deadlineMs: 60_000 };
let threadsBefore = 0;
let ports: MessagePort[] = [];

/** Both ends of a channel; this side's is closed after the test. */
function channel(): { near: MessagePort; far: MessagePort } {
  const { port1: near, port2: far } = new MessageChannel();
  ports.push(near);
  return { near, far };
}

async function create(
  lane: LaneOptions<Tasks>,
  options: Partial<SchedulerOptions<{ net: Tasks }>> = {},
): Promise<Scheduler<{ net: Tasks }>> {
  const lanes = { net: { tasks: URL_OF_TASKS, ...lane } };
  return track(await createScheduler<{ net: Tasks }>({ lanes, workers: [{ lanes: ['net'] }], ...options }));
}

async function told(port: MessagePort, value: number): Promise<Record<string, unknown>> {
  port.postMessage(value);
  return (await once(port, 'message'))[0] as Record<string, unknown>;
}

beforeAll(async () => {
  await (await create({})).close();
  threadsBefore = threadCount();
});
afterEach(async () => {
  for (const port of ports) port.close();
  ports = [];
  await noThreadIsLeft(threadsBefore);
});

describe('what a lane transfers', () => {
  it('moves to its worker, which serves messages and jobs', async () => {
    const { near, far } = channel();
    const buffer = new ArrayBuffer(64);
    const scheduler = await create({ transfer: { port: far, buffer } });
    expect(buffer.byteLength).toBe(0);
    expect(await told(near, 5)).toEqual({ sum: 5, laneName: 'net', workerIndex: 0 });
    const { tell } = scheduler.lanes.net;
    for (let id = 1; id <= 20; id++) {
      const heard = once(near, 'message');
      const job = scheduler.submit(tell, { id }, LONG);
      expect((await heard)[0]).toEqual({ id });
      await job.done;
      expect({ ...job.output, received: job.output.received }).toMatchObject({ received: 4 + id });
      expect([job.output.initialized, job.output.bytes]).toEqual([1, 64]);
      expect(await told(near, 1)).toMatchObject({ sum: 5 + id });
    }
    await quiet(scheduler);
    await scheduler.close();
  });

  it('is given once where it is an object: after a death, reading it says so', async () => {
    const { far } = channel();
    const scheduler = await create({ transfer: { port: far } });
    const { end, tell } = scheduler.lanes.net;
    const dying = scheduler.submit(end, {}, LONG);
    await dying.done;
    expect(dying.outcome).toBe('lost');
    const job = scheduler.submit(tell, { id: 1 }, LONG);
    await job.done;
    expect(job.outcome).toBe('failed');
    expect(job.error?.message).toContain('lane net: shared.port was transferred to a worker that has died');
    expect(job.error?.message).toContain('make lanes.net.transfer a function');
    // what needs it not is served
    const other = scheduler.submit(tell, { id: 0 }, LONG);
    await other.done;
    expect(other.outcome).toBe('onTime');
    await quiet(scheduler);
  });

  it('is made anew for each worker that starts where it is a function', async () => {
    const near: MessagePort[] = [];
    const targets: unknown[] = [];
    const scheduler = await create(
      {
        transfer: async (target) => {
          targets.push(target);
          const made = channel();
          near.push(made.near);
          return { port: made.far };
        },
      },
      { workers: [{ lanes: ['net'], count: 2, name: 'n' }] },
    );
    expect(targets).toEqual([
      { workerIndex: 0, workerName: 'n-0', isReplacement: false },
      { workerIndex: 1, workerName: 'n-1', isReplacement: false },
    ]);
    expect(await told(near[0]!, 1)).toMatchObject({ sum: 1, workerIndex: 0 });
    expect(await told(near[1]!, 2)).toMatchObject({ sum: 2, workerIndex: 1 });
    await scheduler.submit(scheduler.lanes.net.end, {}, LONG).done;
    await until('the replacement is given a port', () => near.length === 3);
    const { workerIndex } = targets[2] as { workerIndex: number };
    expect(targets[2]).toMatchObject({ isReplacement: true });
    expect(await told(near[2]!, 3)).toMatchObject({ sum: 3, workerIndex });
    await quiet(scheduler);
  });

  it('is made anew for a worker that is reloaded', async () => {
    let near: MessagePort | null = null;
    const scheduler = await create({
      transfer: () => {
        const made = channel();
        near = made.near;
        return { port: made.far };
      },
    });
    const first = near!;
    await scheduler.reload('net');
    expect(near).not.toBe(first);
    expect(await told(near!, 4)).toEqual({ sum: 4, laneName: 'net', workerIndex: 0 });
    const job = await scheduler.submit(scheduler.lanes.net.tell, { id: 0 }, LONG).done;
    expect([job.outcome, job.output.received]).toEqual(['onTime', 4]);
    await quiet(scheduler);
  });

  it('a function that throws for a replacement: the worker is given up, and says why', async () => {
    const scheduler = await create({
      transfer: ({ isReplacement }) => {
        if (isReplacement) throw new RangeError('no more of these');
        return { port: channel().far };
      },
    });
    const { end, tell } = scheduler.lanes.net;
    await scheduler.submit(end, {}, LONG).done;
    const after = scheduler.submit(tell, { id: 0 }, LONG);
    await after.done;
    expect(after.outcome).toBe('lost');
    const [worker] = (await scheduler.refresh()).workers;
    expect(worker).toMatchObject({ state: 'gone' });
    expect(worker!.lastDeath).toContain('no more of these');
    await quiet(scheduler);
  });

  it('makes describe() warn where another lane shares the worker', async () => {
    const lanes = {
      net: { tasks: URL_OF_TASKS, transfer: { port: channel().far } },
      other: { tasks: URL_OF_TASKS, shared: {} },
    };
    const scheduler = track(await createScheduler({ lanes, workers: [{ lanes: ['net', 'other'] }] }));
    expect(scheduler.describe().warnings).toEqual([
      'worker net+other returns to its event loop between jobs for net: it also wakes up later for other',
    ]);
  });

  it('cannot be what does not move, or what two workers would have', async () => {
    const refused = async (lane: object, options: object = {}): Promise<string> => {
      try {
        await create(lane, options);
      } catch (error) {
        expect((error as { code: string }).code).toBe('OPTION_INVALID');
        return (error as Error).message;
      }
      return 'created';
    };
    const { far } = channel();
    const two = { workers: [{ lanes: ['net'], count: 2 }] };
    expect(await refused({ transfer: { port: far } }, two)).toContain('a function, since 2 workers serve the lane');
    expect(await refused({ transfer: { port: far }, load }, { hostHelps: true })).toContain('hostHelps');
    expect(await refused({ transfer: { x: new Uint8Array(4) } })).toContain('lanes.net.transfer.x is a Uint8Array');
    expect(await refused({ transfer: { x: new SharedArrayBuffer(4) } })).toContain('expected in `shared`');
    expect(await refused({ transfer: { x: 4 } })).toContain('lanes.net.transfer.x is Number');
    expect(await refused({ transfer: { x: {} } })).toContain('lanes.net.transfer: ');
    expect(await refused({ transfer: [far] })).toContain('expected an object');
    expect(await refused({ transfer: { port: far }, shared: { port: 1 } })).toContain('both by that name');
    expect(await refused({ transfer: () => 7 })).toContain('lanes.net.transfer() is 7');
    expect(await refused({ eventLoop: 1 })).toContain('lanes.net.eventLoop is 1');
    // nothing of that took the port
    far.postMessage('here');
  });
});

describe('a lane whose worker returns to its event loop', () => {
  it('goes on with what handlers began, and with its jobs', async () => {
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const scheduler = await create({ eventLoop: true, shared: { counter } });
    const { later, spin } = scheduler.lanes.net;
    for (let i = 0; i < 10; i++) scheduler.submit(later, { ms: i }, LONG);
    await until('ten timers', () => Atomics.load(counter, 0) === 10);
    // jobs that follow each other without a pause leave the event loop its turns
    scheduler.submit(later, { ms: 1 }, LONG);
    const many = Array.from({ length: 100 }, () => scheduler.submit(spin, { us: 2000 }, LONG));
    await until('the eleventh timer', () => Atomics.load(counter, 0) === 11);
    const left = many.filter((job) => !job.ended).length;
    await Promise.all(many.map((job) => job.done));
    expect(left).toBeGreaterThan(0);
    await quiet(scheduler);
  });

  it('does not where nobody asks for it', async () => {
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const scheduler = await create({ shared: { counter } });
    const { later, tell } = scheduler.lanes.net;
    await scheduler.submit(later, { ms: 1 }, LONG).done;
    for (let i = 0; i < 20; i++) await scheduler.submit(tell, { id: 0 }, LONG).done;
    expect(Atomics.load(counter, 0)).toBe(0);
  });

  it('runs a thousand frames with barriers, and closes', async () => {
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const scheduler = await create({ eventLoop: true, shared: { counter }, capacitySlots: 64 });
    const { tell, spin } = scheduler.lanes.net;
    for (let n = 0; n < 1000; n++) {
      const frame = scheduler.beginFrame(LONG);
      const jobs = [frame.submit(tell, { id: 0 }), frame.submit(spin, { us: n % 50 })];
      frame.barrier();
      jobs.push(frame.submit(tell, { id: 0 }));
      expect(await frame.join()).toBe(true);
      expect(jobs.map((job) => job.outcome)).toEqual(['onTime', 'onTime', 'onTime']);
    }
    await quiet(scheduler);
    await scheduler.close();
  });

  it('releases periods', async () => {
    const scheduler = await create({ eventLoop: true, periodic: { task: 'tick', everyMs: 5 } });
    await until('forty periods', () => scheduler.snapshot().lanes.net.accepted >= 40);
    const { outcomes, accepted } = scheduler.snapshot().lanes.net;
    console.info('periods in an event loop', accepted, outcomes);
    expect(outcomes.onTime + outcomes.late).toBeGreaterThan(0);
    expect(outcomes.failed + outcomes.lost).toBe(0);
  });
});

describe('initialize of a task module', () => {
  it('is waited for before the first job, on each worker', async () => {
    const scheduler = await create({}, { workers: [{ lanes: ['net'], count: 2 }] });
    const { tell } = scheduler.lanes.net;
    for (let i = 0; i < 10; i++) {
      const job = scheduler.submit(tell, { id: 0 }, LONG);
      await job.done;
      expect(job.output.initialized).toBe(1);
    }
  });

  it('what it throws is told by createScheduler', async () => {
    const failing = { shared: { failure: 'no device' } };
    expect(await codeOf(() => create(failing))).toBe('TASK_MODULE_FAILED');
    await expect(create(failing)).rejects.toThrow('lane net: initialize() threw RangeError: no device');
    const inline = { load, ...failing };
    expect(await codeOf(() => create(inline, { mode: 'inline', lanes: { net: inline } }))).toBe('TASK_MODULE_FAILED');
  });

  it('is called inline and in virtual time, with what would be transferred', async () => {
    const buffer = new ArrayBuffer(24);
    const lanes = { net: { load, transfer: { buffer } } };
    const inline = track(await createScheduler({ mode: 'inline', lanes }));
    const job = inline.submit(inline.lanes.net.tell, { id: 0 }, LONG);
    await job.done;
    expect([job.output.bytes, job.output.initialized > 0]).toEqual([24, true]);
    const virtual = await createTestScheduler({ lanes });
    const other = virtual.submit(virtual.lanes.net.tell, { id: 0 });
    await virtual.runUntilIdle();
    expect(other.output.bytes).toBe(24);
    expect(buffer.byteLength).toBe(24);
    await virtual.close();
  });
});
