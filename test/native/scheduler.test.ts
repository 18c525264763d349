import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createScheduler, type Description } from 'frame-deadline';
import { describe, expect, it } from 'vitest';
import { parseCpuList } from '../../src/host/node/cpus.js';
import { noteOf } from '../../src/host/node/niceness-scope.js';
import { threadBudgetOf } from '../../src/scheduler/thread-budget.js';
import type { LaneInfo, TaskInfo } from '../../src/worker/task-runtime.js';
import { allowedCpus, canRun, isRoot, skipsBecause, whyNot } from './support.js';

type Budgeted = typeof import('./tasks/budgeted.tasks.js');
type Runaway = typeof import('./tasks/runaway.tasks.js');
type Unbounded = typeof import('./tasks/unbounded.tasks.js');
const BUDGETED = new URL('./tasks/budgeted.tasks.js', import.meta.url);
const RUNAWAY = new URL('./tasks/runaway.tasks.js', import.meta.url);
const UNBOUNDED = new URL('./tasks/unbounded.tasks.js', import.meta.url);

const lane = (index: number, periodic: { task: number; periodUs: number } | null = null) =>
  ({ index, periodic }) as unknown as LaneInfo;
const task = (index: number, of: number, budgetUs: number, deadlineUs: number) =>
  ({ index, lane: of, budgetUs, deadlineUs }) as TaskInfo;

describe('the budget of a worker', () => {
  it('is that of its periodic task in its period', () => {
    const lanes = [lane(0, { task: 0, periodUs: 10_000 })];
    expect(threadBudgetOf(lanes, [task(0, 0, 2000, 4000)])).toEqual({ periodUs: 10_000, budgetUs: 2000 });
  });

  it('counts a task without a period by its relative deadline, the most demanding of a lane, all lanes together', () => {
    const lanes = [lane(0, { task: 0, periodUs: 10_000 }), lane(3)];
    const tasks = [task(0, 0, 2000, 10_000), task(1, 3, 4000, 16_000), task(2, 3, 1000, 20_000)];
    // 0.2 + max(0.25, 0.05) of the shortest period
    expect(threadBudgetOf(lanes, tasks)).toEqual({ periodUs: 10_000, budgetUs: 4500 });
  });

  it('is none where one task declares none, and where there is no task', () => {
    expect(threadBudgetOf([lane(0)], [task(0, 0, 1000, 9000), task(1, 0, 0, 9000)])).toBe(null);
    expect(threadBudgetOf([lane(0)], [])).toBe(null);
  });
});

const reason =
  whyNot ??
  (isRoot && canRun('chrt -r 1 true') ? null : 'real-time is not granted here') ??
  (allowedCpus.length < 2 ? 'only one CPU is allowed' : null);

describe.skipIf(skipsBecause('real-time workers', reason))('a worker with priority realtime', () => {
  /** Policy of the main thread (proc(5), field 41 of stat). */
  const policyOfMain = (): string => {
    const text = readFileSync(`/proc/self/task/${process.pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[38]!;
  };

  it('gets it where all its tasks declare a budget; the host stays as it was', async () => {
    await using scheduler = await createScheduler({
      lanes: { beat: { tasks: BUDGETED, load: async () => ({}) as Budgeted } },
      workers: [{ lanes: ['beat'], priority: 'realtime' }],
    });
    const { thread } = scheduler.describe().workers[0]!;
    expect(thread!.priority).toMatchObject({ requested: 'realtime', effective: 'realtime', reason: null });
    expect(thread!.leash).toContain('RLIMIT_RTTIME');
    expect(thread!.cpus.effective).not.toContain(allowedCpus[0]);
    expect(thread!.cpus.effective!.every((cpu) => allowedCpus.includes(cpu))).toBe(true);
    const job = scheduler.submit(scheduler.lanes.beat.bounded, {});
    const ended = await job.done;
    expect(ended.outcome).toMatch(/onTime|late/);
    // SCHED_RR, as the kernel shows it to the job itself
    expect([job.output.policy, job.output.realtimePriority]).toEqual([2, 10]);
    job.release();
    expect(policyOfMain()).toBe('0');
  });

  it('does not get it where only one CPU is allowed: that stays with the host', () => {
    const script = fileURLToPath(new URL('./worker-report.js', import.meta.url));
    const entry = new URL('../../dist/index.js', import.meta.url).href;
    const cpu = allowedCpus.at(-1)!;
    const args = ['-c', String(cpu), process.execPath, script, entry, 'realtime'];
    const { thread, seen } = JSON.parse(execFileSync('taskset', args, { encoding: 'utf8' }));
    expect(thread.priority).toMatchObject({
      requested: 'realtime',
      effective: 'high',
      reason: 'no allowed CPU would be left to the host',
    });
    expect(thread.cpus).toMatchObject({ requested: null, effective: [cpu] });
    expect(seen).toMatchObject({ policy: 0, niceness: -11, cpus: String(cpu) });
  });

  it('two schedulers share one registry: together they leave a CPU to the host', async () => {
    const make = (cpus: readonly number[]) =>
      createScheduler({
        lanes: { beat: { tasks: BUDGETED, load: async () => ({}) as Budgeted } },
        workers: [{ lanes: ['beat'], priority: 'realtime', cpus }],
      });
    const levelOf = (scheduler: { describe(): Description }) => scheduler.describe().workers[0]!.thread!.priority;
    const first = await make(allowedCpus.slice(1));
    await using second = await make(allowedCpus.slice(0, 1));
    expect(levelOf(first).effective).toBe('realtime');
    expect(levelOf(second)).toMatchObject({
      effective: 'high',
      reason: 'no allowed CPU would be left to the host',
    });
    await first.close();
    await using third = await make(allowedCpus.slice(0, 1));
    expect(levelOf(third).effective).toBe('realtime');
  });

  it('does not get it where a task declares none, and says so', async () => {
    await using scheduler = await createScheduler({
      lanes: { beat: { tasks: UNBOUNDED, load: async () => ({}) as Unbounded } },
      workers: [{ lanes: ['beat'], priority: 'realtime' }],
    });
    const { priority } = scheduler.describe().workers[0]!.thread!;
    expect(priority).toMatchObject({ effective: 'high', reason: 'realtime needs a declared budget per period' });
  });

  it('does not get it where it may spin, and says so', async () => {
    await using scheduler = await createScheduler({
      lanes: { beat: { tasks: BUDGETED, load: async () => ({}) as Budgeted } },
      workers: [{ lanes: ['beat'], priority: 'realtime', spinUs: 50 }],
    });
    const { priority } = scheduler.describe().workers[0]!.thread!;
    expect(priority.effective).toBe('high');
    expect(priority.reason).toContain('polls (spinUs above 0)');
  });

  const runaway = (priority: 'high' | 'realtime') =>
    createScheduler({
      lanes: { beat: { tasks: RUNAWAY, load: async () => ({}) as Runaway } },
      workers: [{ lanes: ['beat'], priority }],
    });

  it('that does not sleep within its leash is demoted: what is told follows, and it works on', async () => {
    await using scheduler = await runaway('realtime');
    const before = scheduler.describe().workers[0]!.thread!;
    expect(before.priority.effective).toBe('realtime');
    await scheduler.submit(scheduler.lanes.beat.runaway, { ms: 700 }).done;
    const { thread } = scheduler.describe().workers[0]!;
    expect(thread!.priority).toEqual({
      requested: 'realtime',
      effective: 'high',
      mechanism: 'setpriority -11',
      reason: expect.stringMatching(/^demoted: did not sleep for \d+ ms of CPU time \(RLIMIT_RTTIME\)$/),
      ...noteOf('high'),
    });
    expect(thread).toMatchObject({ policy: 'SCHED_OTHER|SCHED_RESET_ON_FORK', niceness: -11, leash: null });
    expect(thread!.timerSlackNs).toMatchObject({ requested: 1, effective: 1 });
    expect(String(scheduler.describe())).toMatch(/priority high by setpriority -11 \(asked realtime; demoted: /);
    // what was taken for the host's sake is given back; a set that was asked for stays
    const status = readFileSync(`/proc/self/task/${thread!.threadId}/status`, 'latin1');
    const seen = parseCpuList(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)![1]!);
    expect(thread!.cpus.effective).toEqual(seen);
    expect(seen).toEqual(thread!.cpus.requested ?? allowedCpus);
    // told again, and after asking the supervisor
    expect((await scheduler.refresh()).workers[0]!.thread).toEqual(thread);
    const after = await scheduler.submit(scheduler.lanes.beat.runaway, { ms: 1 }).done;
    expect(after.outcome).toBe('onTime');
  });

  it.each([
    ['chrt', 'chrt -o -p 0', 'realtime', 'high', /^demoted by another program: SCHED_OTHER/],
    ['renice', 'renice -n 0 -p', 'high', 'normal', /^demoted by another program: SCHED_OTHER.*niceness 0$/],
  ] as const)('that %s demotes is told of as it is', async (_, command, asked, left, why) => {
    await using scheduler = await runaway(asked);
    const { threadId, priority } = scheduler.describe().workers[0]!.thread!;
    expect(priority.effective).toBe(asked);
    execFileSync('sh', ['-c', `${command} ${threadId}`], { stdio: 'ignore' });
    const { thread } = scheduler.describe().workers[0]!;
    expect(thread!.priority).toMatchObject({ requested: asked, effective: left, reason: expect.stringMatching(why) });
    expect(thread!.cpus.effective).toEqual(thread!.cpus.requested ?? allowedCpus);
    expect(thread!.leash).toBe(null);
  });

  it.each(['high', 'realtime'] as const)('%s is not handed on to a Worker that a handler makes', async (priority) => {
    await using scheduler = await runaway(priority);
    expect(scheduler.describe().workers[0]!.thread!.priority.effective).toBe(priority);
    const job = scheduler.submit(scheduler.lanes.beat.nested, {});
    await job.done;
    expect([job.output.nicenessPlus20, job.output.policy]).toEqual([20, 0]);
    job.release();
  });
});

describe('lockMemory', () => {
  it('tells what was asked and what is in force; without it nothing is said', async () => {
    await using scheduler = await createScheduler({
      lanes: { beat: { tasks: BUDGETED, load: async () => ({}) as Budgeted } },
      lockMemory: true,
    });
    const { memoryLock, bytes } = scheduler.describe();
    expect(memoryLock!.requestedBytes).toBeGreaterThanOrEqual(bytes.rings + bytes.telemetry + bytes.control);
    const locked = Number(/^VmLck:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) * 1024;
    if (memoryLock!.lockedBytes < memoryLock!.requestedBytes) expect(memoryLock!.reason).not.toBeNull();
    else expect(memoryLock).toMatchObject({ mechanism: expect.stringContaining('mlock'), reason: null });
    expect(locked).toBeGreaterThanOrEqual(memoryLock!.lockedBytes);
    expect(String(scheduler.describe())).toContain('memory lock:');
    await using plain = await createScheduler({
      lanes: { beat: { tasks: BUDGETED, load: async () => ({}) as Budgeted } },
    });
    expect(plain.describe().memoryLock).toBeNull();
  });

  it.skipIf(
    skipsBecause('a low memory limit', whyNot ?? (canRun('prlimit --memlock=65536:65536 true') ? null : 'no prlimit')),
  )('as an ordinary user, beyond the limit, says so and goes on', () => {
    const code = `
        import { createScheduler } from 'frame-deadline';
        const scheduler = await createScheduler({ lanes: { beat: { tasks: new URL(${JSON.stringify(BUDGETED.href)}) } }, lockMemory: true });
        console.log(JSON.stringify(scheduler.describe().memoryLock));
        await scheduler.close();`;
    const drop = isRoot ? ['setpriv', '--reuid=65534', '--clear-groups'] : [];
    const [command, ...args] = [
      ...drop,
      'prlimit',
      '--memlock=65536:65536',
      process.execPath,
      '--input-type=module',
      '-e',
      code,
    ];
    const cwd = fileURLToPath(new URL('../..', import.meta.url));
    const answer = JSON.parse(execFileSync(command!, args, { cwd, encoding: 'utf8' }));
    expect(answer.lockedBytes).toBeLessThanOrEqual(65_536);
    expect(answer.reason).toMatch(/ENOMEM|EAGAIN|EPERM/);
  });
});
