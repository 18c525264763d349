import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { COMMAND_RUN, COMMAND_STOP, ControlLayout } from '../../src/memory/layout.js';
import { Bells } from '../../src/ring/bell.js';
import type { NormalLane } from '../../src/scheduler/options.js';
import { derivePlacement } from '../../src/scheduler/placement.js';
import { type EventLoop, EventLoopRunner } from '../../src/worker/event-loop.js';
import type { IdleLoop } from '../../src/worker/idle-loop.js';
import type { WorkerCore } from '../../src/worker/worker-core.js';

// also in a browser
const soon: (callback: () => void) => void = globalThis.setImmediate ?? globalThis.setTimeout;
const turn = () => new Promise<void>((resolve) => soon(resolve));

/** A worker whose jobs are a number, each 1 ms of a clock that only they move, and whose bell and waiters are real. */
class Bench {
  readonly layout = new ControlLayout(4);
  readonly control = new Int32Array(new SharedArrayBuffer(this.layout.words * 4));
  readonly bells = new Bells(this.control, this.layout);
  ready = 0;
  ran = 0;
  nowUs = 0;
  command = COMMAND_RUN;
  nextReleaseUs = Number.POSITIVE_INFINITY;
  waiters = 0;
  mostWaiters = 0;
  inARow = 0;
  mostInARow = 0;
  due: (() => void) | null = null;
  onParking: (() => void) | null = null;
  ended: number | null = null;
  readonly runner: EventLoopRunner;

  constructor() {
    const { bells, control, layout } = this;
    const idle = {
      isParking: false,
      command: () => this.command,
      seek: () => {
        idle.isParking = false;
        if (this.ready > 0) return true;
        if (!bells.announcePark(0)) return false;
        if (this.ready > 0 || this.command !== COMMAND_RUN) {
          bells.cancelPark(0);
          return this.ready > 0;
        }
        idle.isParking = true;
        // another thread, between the second look and the wait
        this.onParking?.();
        this.onParking = null;
        return false;
      },
    };
    const core = {
      column: 0,
      workerIndex: 0,
      memory: { bells, control, layout },
      ringOn: () => {},
      execute: () => {
        this.ready--;
        this.nowUs += 1000;
      },
      settle: () => {
        this.ran++;
        this.mostInARow = Math.max(this.mostInARow, ++this.inARow);
      },
    };
    Object.defineProperty(core, 'nextReleaseUs', { get: () => this.nextReleaseUs });
    const eventLoop: EventLoop = {
      soon: (callback) => {
        soon(() => {
          this.inARow = 0;
          callback();
        });
      },
      waitAsync: (words, at, value) => {
        const wait = Atomics.waitAsync(words, at, value);
        if (!wait.async) return null;
        this.mostWaiters = Math.max(this.mostWaiters, ++this.waiters);
        return wait.value.then(() => {
          this.waiters--;
          this.inARow = 0;
        });
      },
      timer: {
        set: (_atUs, callback) => {
          this.due = callback;
        },
        cancel: () => {
          this.due = null;
        },
      },
    };
    const clock = { nowUs: () => this.nowUs, nowPreciseUs: () => this.nowUs };
    this.runner = new EventLoopRunner(
      idle as unknown as IdleLoop,
      core as unknown as WorkerCore,
      clock,
      eventLoop,
      (command) => {
        this.ended = command;
      },
    );
  }

  publish(jobs: number): void {
    this.ready += jobs;
    this.bells.ringOne(1);
  }

  fireTimer(): void {
    const { due } = this;
    this.due = null;
    this.inARow = 0;
    due?.();
  }

  async settled(): Promise<void> {
    for (let i = 0; i < 1000 && this.ready > 0; i++) await turn();
  }
}

describe('a worker that parks in its event loop', () => {
  it('runs every job, whatever wakes it, with one waiter and turns in between', async () => {
    const given = process.env['FRAME_DEADLINE_SEED'];
    const seed = given === undefined ? Date.now() % 2 ** 31 : Number(given);
    console.log(`FRAME_DEADLINE_SEED=${seed}`);
    const generator = xoroshiro128plus(seed);
    const random = (below: number) => (generator.next() >>> 0) % below;
    const bench = new Bench();
    bench.runner.run();
    let published = 0;
    for (let step = 0; step < 3000; step++) {
      switch (random(6)) {
        case 0:
        case 1: {
          const jobs = 1 + random(9);
          published += jobs;
          bench.publish(jobs);
          break;
        }
        case 2:
          bench.nextReleaseUs = random(2) === 0 ? bench.nowUs + 500 : Number.POSITIVE_INFINITY;
          break;
        case 3:
          bench.fireTimer();
          break;
        case 4:
          bench.onParking ??= () => {
            published++;
            bench.publish(1);
          };
          break;
        default:
          await turn();
      }
      if (random(50) === 0) {
        await bench.settled();
        expect(bench.ran).toBe(published);
      }
    }
    await bench.settled();
    expect(bench.ran).toBe(published);
    expect(bench.mostWaiters).toBe(1);
    // 4 ms of jobs of 1 ms
    expect(bench.mostInARow).toBe(4);
    bench.command = COMMAND_STOP;
    bench.bells.ringAlways(0);
    for (let i = 0; i < 100 && bench.ended === null; i++) await turn();
    expect(bench.ended).toBe(COMMAND_STOP);
  });
});

describe('workers that are derived', () => {
  const lane = (index: number, of: Partial<NormalLane>): NormalLane =>
    ({ index, name: `lane${index}`, periodic: null, eventLoop: false, ...of }) as NormalLane;
  const audio = lane(0, { periodic: { task: 'mix', everyMs: 3 } });
  const lanes = [audio, lane(1, {}), lane(2, { eventLoop: true }), lane(3, {})];

  it('keep lanes apart whose worker returns to its event loop, after periodic ones', () => {
    expect(derivePlacement(lanes, 5).map((worker) => worker.lanes)).toEqual([[0], [2], [1, 3], [1, 3]]);
    expect(derivePlacement(lanes, 4).map((worker) => worker.lanes)).toEqual([[0], [2], [1, 3]]);
    expect(derivePlacement(lanes, 3).map((worker) => worker.lanes)).toEqual([[0], [2, 1, 3]]);
    expect(derivePlacement(lanes, 2).map((worker) => worker.lanes)).toEqual([[0, 2, 1, 3]]);
  });

  it('never give such a lane two workers', () => {
    for (let cpus = 1; cpus <= 32; cpus++) {
      const servers = derivePlacement(lanes, cpus).filter((worker) => worker.lanes.includes(2));
      expect(servers.length).toBe(1);
    }
  });
});
