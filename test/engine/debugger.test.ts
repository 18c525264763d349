import inspector, { Session } from 'node:inspector';
import { createScheduler, type Job } from 'frame-deadline';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exact, noThreadIsLeft, quiet, sleep, taskUrl, threadCount, track, until } from './support.js';

type Paused = typeof import('./tasks/paused.tasks.js');

const HANG_MS = 300;
/** Several times what `hangMs` allows. `PAUSE_MS=10000` by hand. */
const PAUSE_MS = Number(process.env['PAUSE_MS'] ?? 1500);
const PERIOD_MS = 10;
const LONG = { deadlineMs: 60_000 };
let threadsBefore = 0;
let words: Int32Array;

/** Word 0: periods that were run, 2: set to let `spin` end, 3: spins begun, 4: set for a breakpoint in the next handler. */
const freshWords = (): Int32Array => new Int32Array(new SharedArrayBuffer(64));

async function create(options: { inspected: boolean; spares?: number; periodic?: boolean }) {
  words = freshWords();
  if (options.inspected) inspector.open(0);
  const periodic = options.periodic === true ? { periodic: { task: 'tick' as const, everyMs: PERIOD_MS } } : {};
  return track(
    await createScheduler<{ work: Paused }>({
      lanes: { work: { tasks: taskUrl('paused.tasks.js'), shared: { words }, ...periodic } },
      workers: [{ lanes: ['work'], name: 'paused' }],
      hangMs: HANG_MS,
      spares: options.spares ?? 0,
    }),
  );
}

const attached = new Set<Debugger>();

/** What a debugger does: by the inspector of this thread, which reaches all threads of the process. */
class Debugger {
  private readonly session = new Session();
  private readonly threads = new Map<string, Thread>();
  private ids = 0;

  static async attach(): Promise<Debugger> {
    const made = new Debugger();
    attached.add(made);
    made.session.connect();
    made.session.on(
      'NodeWorker.attachedToWorker' as never,
      (({ params }: { params: Attached }) => {
        const { sessionId, workerInfo } = params;
        made.threads.set(sessionId, { sessionId, url: workerInfo.url, paused: false });
      }) as never,
    );
    made.session.on(
      'NodeWorker.receivedMessageFromWorker' as never,
      (({ params }: { params: Received }) => {
        const { method } = JSON.parse(params.message) as { method?: string };
        const thread = made.threads.get(params.sessionId);
        if (thread === undefined) return;
        if (method === 'Debugger.paused') thread.paused = true;
        if (method === 'Debugger.resumed') thread.paused = false;
      }) as never,
    );
    await made.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
    return made;
  }

  /** Stops the next handler of a worker, in its middle; `begin` is called when that is prepared. */
  async atBreakpoint(begin: () => void = () => {}): Promise<() => Promise<void>> {
    const workers = this.find('node-worker.js');
    for (const { sessionId } of workers) await this.tell(sessionId, 'Debugger.enable');
    Atomics.store(words, 4, 1);
    begin();
    await until('a worker stands at the breakpoint', () => workers.some(({ paused }) => paused));
    return () => this.tell(workers.find(({ paused }) => paused)!.sessionId, 'Debugger.resume');
  }

  /** Stops a thread, by the name of its entry, at whatever it runs next. */
  async pause(entry: string): Promise<() => Promise<void>> {
    const [thread] = this.find(entry);
    await this.tell(thread!.sessionId, 'Debugger.enable');
    await this.tell(thread!.sessionId, 'Debugger.pause');
    await until(`${entry} is paused`, () => thread!.paused);
    return () => this.tell(thread!.sessionId, 'Debugger.resume');
  }

  detach(): void {
    this.session.disconnect();
    attached.delete(this);
  }

  private find(entry: string): Thread[] {
    return [...this.threads.values()].filter(({ url }) => url.endsWith(entry));
  }

  private tell(sessionId: string, method: string): Promise<void> {
    const message = JSON.stringify({ id: ++this.ids, method });
    return this.post('NodeWorker.sendMessageToWorker', { sessionId, message });
  }

  private post(method: string, params: object): Promise<void> {
    return new Promise((resolve, reject) => {
      this.session.post(method, params, (error) => (error === null ? resolve() : reject(error)));
    });
  }
}

interface Thread {
  readonly sessionId: string;
  readonly url: string;
  paused: boolean;
}
interface Attached {
  readonly sessionId: string;
  readonly workerInfo: { readonly url: string };
}
interface Received {
  readonly sessionId: string;
  readonly message: string;
}

beforeAll(async () => {
  await (await create({ inspected: false })).close();
  threadsBefore = threadCount();
});
afterEach(async () => {
  for (const debug of attached) debug.detach();
  inspector.close();
  await noThreadIsLeft(threadsBefore);
});

describe('a debugger that pauses a worker for longer than hangMs', () => {
  it('in a job: nothing is lost, the job ends when it goes on, also if the debugger leaves at once', async () => {
    const scheduler = await create({ inspected: true });
    const { spin, fine } = scheduler.lanes.work;
    const debug = await Debugger.attach();
    let long = scheduler.submit(fine, {}, LONG) as Job;
    await long.done;
    const resume = await debug.atBreakpoint(() => {
      long = scheduler.submit(spin, {}, { deadlineMs: 100 });
    });
    const waiting = Array.from({ length: 8 }, () => scheduler.submit(fine, {}, LONG));
    await sleep(PAUSE_MS);
    expect(long.ended).toBe(false);
    await resume();
    debug.detach();
    inspector.close();
    // a submit is what tells that the inspector has gone
    waiting.push(scheduler.submit(fine, {}, LONG));
    await sleep(HANG_MS / 3);
    Atomics.store(words, 2, 1);
    await long.done;
    await Promise.all(waiting.map((job) => job.done));
    expect(long.outcome).toBe('late');
    expect(waiting.map((job) => job.outcome)).toEqual(waiting.map(() => 'onTime'));
    const misses = scheduler.recentMisses();
    expect(misses.map(({ task, outcome }) => [task, outcome])).toEqual([['spin', 'late']]);
    await quiet(scheduler);
    expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'serving', deaths: 0 });
    await scheduler.close();
  }, 60_000);

  it('of a lane that runs by itself: one record for the gap, no period is replayed', async () => {
    const scheduler = await create({ inspected: true, periodic: true });
    const debug = await Debugger.attach();
    await until('periods', () => Atomics.load(words, 0) > 20);
    const startMs = performance.now();
    const before = scheduler.snapshot().lanes.work;
    const records = scheduler.recentMisses().length;
    const resume = await debug.atBreakpoint();
    const ran = Atomics.load(words, 0);
    await sleep(PAUSE_MS);
    expect(Atomics.load(words, 0)).toBe(ran);
    await resume();
    await until('periods afterwards', () => Atomics.load(words, 0) > ran + 20);
    const after = scheduler.snapshot().lanes.work;
    const gapMs = performance.now() - startMs;
    debug.detach();
    // a storm would have run them all at once: between two starts there is a good part of a period
    expect(Atomics.load(words, 0) - ran).toBeLessThan(gapMs / PERIOD_MS - PAUSE_MS / PERIOD_MS + 5);
    expect(after.submitted - before.submitted).toBeLessThanOrEqual(gapMs / PERIOD_MS + 2);
    expect(after.misses - before.misses).toBeLessThanOrEqual(gapMs / PERIOD_MS + 2);
    expect(after.misses - before.misses).toBeGreaterThan((0.8 * PAUSE_MS) / PERIOD_MS);
    expect(after.outcomes.lost).toBe(0);
    const fresh = scheduler.recentMisses().slice(records);
    const gap = fresh.filter(({ periods }) => periods > 10);
    expect(gap).toHaveLength(1);
    expect(gap[0]!.flags).toContain('debugger');
    // the job in which it stood, and what a busy machine adds
    expect(fresh.length).toBeLessThan(12);
    expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'serving', deaths: 0 });
    exact(scheduler);
    await scheduler.close();
  }, 60_000);

  it('an inspector that is opened later is noticed also where nobody submits', async () => {
    const scheduler = await create({ inspected: false, periodic: true });
    await until('periods', () => Atomics.load(words, 0) > 5);
    inspector.open(0);
    await sleep(600);
    const debug = await Debugger.attach();
    const resume = await debug.atBreakpoint();
    await sleep(PAUSE_MS);
    await resume();
    const ran = Atomics.load(words, 0);
    await until('periods afterwards', () => Atomics.load(words, 0) > ran + 5);
    debug.detach();
    expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'serving', deaths: 0 });
    await scheduler.close();
  }, 60_000);

  it('the supervisor: jobs go on, and nobody is taken to hang when it comes back', async () => {
    const scheduler = await create({ inspected: false });
    const debug = await Debugger.attach();
    const { fine } = scheduler.lanes.work;
    const resume = await debug.pause('node-supervisor.js');
    const endMs = performance.now() + PAUSE_MS;
    let jobs = 0;
    while (performance.now() < endMs) {
      const job = scheduler.submit(fine, {}, LONG);
      await job.done;
      expect(job.outcome).toBe('onTime');
      job.release();
      jobs++;
      await sleep(20);
    }
    expect(jobs).toBeGreaterThan(5);
    await resume();
    debug.detach();
    await sleep(HANG_MS);
    expect((await scheduler.refresh()).workers[0]).toMatchObject({ state: 'serving', deaths: 0 });
    await quiet(scheduler);
    await scheduler.close();
  }, 60_000);

  it('without an inspector that listens nobody can know: it is a hang like any other, and nothing is stuck', async () => {
    const scheduler = await create({ inspected: false, spares: 1 });
    const { spin, fine } = scheduler.lanes.work;
    const debug = await Debugger.attach();
    let job = scheduler.submit(fine, {}, LONG) as Job;
    await job.done;
    const resume = await debug.atBreakpoint(() => {
      job = scheduler.submit(spin, {}, LONG);
    });
    const after = scheduler.submit(fine, {}, LONG);
    await job.done;
    await after.done;
    expect([job.outcome, after.outcome]).toEqual(['lost', 'onTime']);
    expect(scheduler.recentMisses()[0]).toMatchObject({ cause: 'hung', task: 'spin' });
    // a thread that stands at a breakpoint cannot be ended before it goes on
    await resume();
    debug.detach();
    await quiet(scheduler);
    await scheduler.close();
  }, 60_000);
});
