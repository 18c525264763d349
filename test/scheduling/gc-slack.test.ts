import * as fc from 'fast-check';
import { type LaneOptions, task } from 'frame-deadline';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/base/time.js';
import { WORKER_SLACK_FULL, WORKER_SLACK_YOUNG } from '../../src/memory/layout.js';
import { JobRingProducer } from '../../src/ring/job-ring.js';
import { workerCoreOf } from '../../src/scheduler/host-handlers.js';
import { describeTasks } from '../../src/scheduler/load-tasks.js';
import { normalizeOptions } from '../../src/scheduler/options.js';
import { makePlan } from '../../src/scheduler/plan.js';
import { TaskReader } from '../../src/scheduler/task-reader.js';
import { AttachedMemory } from '../../src/worker/attached-memory.js';
import { IdleLoop } from '../../src/worker/idle-loop.js';
import { COLLECT_FULL, type Collector, measureCollections, SlackCollector } from '../../src/worker/slack-collector.js';
import { CLOCK_STARTS } from './support.js';

// A worker in virtual time whose jobs allocate and whose collector takes a given time: the real core, loop and policy.

interface Machine {
  startUs: number;
  /** Periodic lane, or null: jobs come from outside. */
  everyMs: number | null;
  deadlineMs: number;
  /** When jobs are submitted, from the start. */
  submitsUs: readonly number[];
  executionUs: number;
  allocatedBytes: number;
  /** Of them survive. */
  survivingBytes: number;
  youngUs: number;
  fullUs: number;
  /** The collection of the young generation that is held up, and takes 9 ms; -1: none. */
  heldUp: number;
  /** Without: the policy is off. */
  collects: boolean;
  untilUs: number;
}

class FakeCollector implements Collector {
  readonly mechanism = 'fake';
  used = 8_000_000;
  live = 8_000_000;
  young = 0;
  full = 0;
  constructor(
    private readonly clock: VirtualClock,
    private readonly machine: Machine,
  ) {}
  usedBytes(): number {
    return this.used;
  }
  collect(kind: number): void {
    const youngUs = this.young === this.machine.heldUp ? 9000 : this.machine.youngUs;
    this.clock.advanceUs(kind === COLLECT_FULL ? this.machine.fullUs : youngUs);
    this.used = this.live;
    if (kind === COLLECT_FULL) this.full++;
    else this.young++;
  }
}

function simulate(machine: Machine) {
  const clock = new VirtualClock(machine.startUs);
  const collector = new FakeCollector(clock, machine);
  const module = {
    work: task({
      input: {},
      run() {
        clock.advanceUs(machine.executionUs);
        collector.used += machine.allocatedBytes;
        collector.live += machine.survivingBytes;
      },
    }),
  };
  const lane: LaneOptions = {
    tasks: 'file:///a.js',
    deadlineMs: machine.deadlineMs,
    ...(machine.everyMs === null ? {} : { periodic: { task: 'work' as never, everyMs: machine.everyMs } }),
  };
  const options = normalizeOptions({ lanes: { lane }, workers: [{ lanes: ['lane'] }] }, [0, 1]);
  const measured = measureCollections(collector, clock);
  const beganUs = clock.nowPreciseUs();
  const described = [describeTasks(module, 'lane', 'file:///a.js')];
  const plan = makePlan(options.lanes, options.workers!, described, beganUs, true, options.traceJobs, 0);
  const memory = new AttachedMemory(plan.memory);
  const core = workerCoreOf(memory, clock, plan, [module], 0, 0, [0]);
  const loop = new IdleLoop(core, clock, 0, machine.collects ? new SlackCollector(core, clock, measured) : null);
  const producer = new JobRingProducer(memory.rings[0]!);
  const relativeUs = machine.deadlineMs * 1000;
  const submits = [...machine.submitsUs].sort((a, b) => a - b);
  const published: number[] = [];
  let late = 0;
  const publishDue = (): void => {
    while (submits.length > 0 && beganUs + submits[0]! <= clock.nowPreciseUs()) {
      const atUs = (beganUs + submits.shift()!) | 0;
      const slot = producer.reserve();
      expect(slot).toBeGreaterThanOrEqual(0);
      producer.publish(slot, 3, 0, 0, 0, -1, atUs, atUs, (atUs + relativeUs) | 0);
      published.push(slot);
    }
  };
  while (clock.nowPreciseUs() < beganUs + machine.untilUs) {
    publishDue();
    if (loop.seek()) {
      core.execute();
      core.settle();
      for (const slot of published.splice(0)) {
        const state = memory.rings[0]!.i32[memory.rings[0]!.slotBase(slot)]!;
        if ((state & 15) !== 5) {
          published.push(slot);
          continue;
        }
        if (((state >>> 4) & 15) !== 1) late++;
        producer.free(slot);
      }
    } else if (loop.isParking) {
      const nextUs = Math.min(core.nextReleaseUs, beganUs + (submits[0] ?? Number.POSITIVE_INFINITY));
      memory.bells.cancelPark(0);
      if (nextUs === Number.POSITIVE_INFINITY) break;
      clock.advanceUs(Math.max(0, Math.ceil(nextUs - clock.nowPreciseUs())));
    }
  }
  const base = memory.layout.worker(0);
  const counted = [memory.control[base + WORKER_SLACK_YOUNG]!, memory.control[base + WORKER_SLACK_FULL]!];
  return { late, collector, counted, memory, plan };
}

const MACHINE: Machine = {
  startUs: 0,
  everyMs: null,
  deadlineMs: 16,
  submitsUs: [],
  executionUs: 2000,
  allocatedBytes: 1_000_000,
  survivingBytes: 0,
  youngUs: 700,
  fullUs: 9000,
  heldUp: -1,
  collects: true,
  untilUs: 2_000_000,
};
const every = (us: number, count: number): number[] => Array.from({ length: count }, (_, i) => i * us);

describe("gc: 'inSlack'", () => {
  it('collects after each job of a regular lane, and counts it', () => {
    for (const startUs of CLOCK_STARTS) {
      const { collector, counted, late } = simulate({ ...MACHINE, startUs, submitsUs: every(16_667, 100) });
      expect(late).toBe(0);
      // some idle times are waited for first, and two collections are made before it serves
      expect(collector.young).toBeGreaterThan(90);
      expect(counted).toEqual([collector.young - 1, collector.full - 1]);
    }
  });

  it('of a periodic lane it knows the next release', () => {
    const machine = { ...MACHINE, everyMs: 10, deadlineMs: 10, executionUs: 3000 };
    const { collector, late } = simulate(machine);
    expect(late).toBe(0);
    expect(collector.young).toBeGreaterThan(190);
    // what does not fit is not begun
    expect(simulate({ ...machine, youngUs: 6000 }).counted).toEqual([0, 0]);
    expect(simulate({ ...machine, executionUs: 9500 }).counted).toEqual([0, 0]);
  });

  it('collects all where enough has survived, and only where that fits', () => {
    const machine = { ...MACHINE, everyMs: 50, deadlineMs: 50, survivingBytes: 600_000, untilUs: 3_000_000 };
    const { counted } = simulate(machine);
    expect(counted[1]).toBeGreaterThan(0);
    expect(simulate({ ...machine, fullUs: 45_000 }).counted[1]).toBe(0);
  });

  it('does nothing where little is allocated, where jobs come close after each other, or at no time that can be told', () => {
    const regular = { ...MACHINE, submitsUs: every(16_667, 100) };
    expect(simulate({ ...regular, allocatedBytes: 1000 }).counted[0]).toBeLessThan(3);
    expect(simulate({ ...MACHINE, submitsUs: every(2500, 500) }).counted).toEqual([0, 0]);
    // a collection would take more than half of the deadline
    expect(simulate({ ...regular, youngUs: 7000 }).counted).toEqual([0, 0]);
  });

  it('goes on after a frame that came late once, unless the collection takes more than a quarter of the deadline', () => {
    // of each sixteen one is 14.5 ms late: 2.2 ms before the next, with a job of 2 ms
    const submitsUs = every(16_667, 160).map((us, i) => us + (i % 16 === 8 ? 14_500 : 0));
    const { counted, late } = simulate({ ...MACHINE, submitsUs, untilUs: 4_000_000 });
    expect(late).toBe(0);
    expect(counted[0]).toBeGreaterThan(140);
    const longer = simulate({ ...MACHINE, submitsUs, youngUs: 4000, untilUs: 4_000_000 });
    expect(longer.late).toBe(0);
    expect(longer.counted[0]).toBeLessThan(100);
    // twice in eight is no exception
    const twice = every(16_667, 160).map((us, i) => us + (i % 4 === 2 ? 14_500 : 0));
    expect(simulate({ ...MACHINE, submitsUs: twice, untilUs: 4_000_000 }).counted[0]).toBeLessThan(5);
  });

  it('goes on, after a while, when one collection was held up for longer than there is slack', () => {
    const machine = { ...MACHINE, submitsUs: every(16_667, 200), heldUp: 30, untilUs: 4_000_000 };
    const { counted, late } = simulate(machine);
    expect(late).toBe(0);
    expect(counted[0]).toBeGreaterThan(150);
    expect(counted[0]).toBeLessThan(175);
    // where each takes so long, none is tried again
    expect(simulate({ ...machine, youngUs: 9000 }).counted[0]).toBe(0);
  });

  it('never causes a miss: regular lanes, jitter, bursts', () => {
    const seed = Number(process.env['FRAME_DEADLINE_SEED'] ?? Date.now() % 2 ** 31);
    console.log(`FRAME_DEADLINE_SEED=${seed}`);
    fc.assert(
      fc.property(
        fc.record({
          startUs: fc.constantFrom(...CLOCK_STARTS),
          periodUs: fc.integer({ min: 4000, max: 40_000 }),
          jitterUs: fc.integer({ min: 0, max: 30_000 }),
          jobs: fc.integer({ min: 1, max: 3 }),
          executionUs: fc.integer({ min: 100, max: 6000 }),
          youngUs: fc.integer({ min: 60, max: 20_000 }),
          fullUs: fc.integer({ min: 3000, max: 40_000 }),
          survivingBytes: fc.constantFrom(0, 0, 400_000),
          deadlineMs: fc.integer({ min: 8, max: 40 }),
          periodic: fc.boolean(),
          random: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        }),
        (given) => {
          const submitsUs = every(given.periodUs, 60).flatMap((us) =>
            Array.from({ length: given.jobs }, () => us + Math.round(given.jitterUs * given.random.next().value)),
          );
          const machine: Machine = {
            ...MACHINE,
            ...given,
            everyMs: given.periodic ? given.deadlineMs : null,
            submitsUs: given.periodic ? [] : submitsUs,
            untilUs: given.periodic ? 60 * given.deadlineMs * 1000 : 10_000_000,
          };
          const missesOf = (collects: boolean): number => {
            const { late, memory, plan } = simulate({ ...machine, collects });
            return given.periodic ? periodicMisses(memory, plan) : late;
          };
          // jobs that leave half of their deadline: nobody is late without collections
          fc.pre(given.periodic || given.jobs * given.executionUs <= given.periodUs / 2);
          fc.pre(missesOf(false) === 0);
          fc.pre(given.periodic || slackLeft(machine));
          expect(missesOf(true)).toBe(0);
        },
      ),
      { seed, numRuns: 300 },
    );
  });
});

/** Whether a job has half of its deadline to spare, whatever the others do: what the second line of defence rests on. */
function slackLeft(machine: Machine): boolean {
  return simulate({ ...machine, collects: false, deadlineMs: machine.deadlineMs / 2 }).late === 0;
}

function periodicMisses(memory: AttachedMemory, plan: ReturnType<typeof makePlan>): number {
  return new TaskReader(memory, plan.tasks[0]!, plan.lanes[0]!).read(false).misses;
}
