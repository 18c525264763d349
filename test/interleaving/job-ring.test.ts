import { describe, test } from 'vitest';
import * as layout from '../../src/memory/layout.js';
import { expectFound, expectSoundAtRandom, expectSoundWithin } from './expect.js';
import type { RoleSpec, Scenario } from './explore.js';
import { check, machine, run, type Stepping } from './machine.js';
import { Modules, type Patch } from './modules.js';

const { statusOf, SLOT_STATE, SLOT_SEQUENCE, SLOT_DEADLINE_US, RING_HEAD, STATUS_READY } = layout;

interface Plan {
  readonly capacitySlots: number;
  /** Deadlines of the jobs, in the order of their submission. */
  readonly deadlinesUs: readonly number[];
  /** Jobs that keep their slots until the next submits are done: the producer skips them. */
  readonly held: readonly number[];
  /** Workers besides the producer. */
  readonly workers: number;
  /** First position; near 2^31 positions wrap. */
  readonly start: number;
}

/** A producer that reuses slots, and workers that look, claim and end jobs until all are claimed. */
function scanning(plan: Plan, patches: readonly Patch[] = []): Scenario {
  const modules = new Modules(patches);
  const { jobRingBytes, JobRing, JobRingProducer } =
    modules.load<typeof import('../../src/ring/job-ring.js')>('ring/job-ring.js');
  const { JobScanner } = modules.load<typeof import('../../src/ring/job-scanner.js')>('ring/job-scanner.js');
  const { strideBytes, bytes } = jobRingBytes(plan.capacitySlots, 0);
  const handle = {
    buffer: new SharedArrayBuffer(bytes),
    capacitySlots: plan.capacitySlots,
    strideBytes,
    periodic: false,
  };
  const i32 = new Int32Array(handle.buffer);
  const jobs = plan.deadlinesUs.length;
  let claims: number[] = [];
  let published = 0;
  let finished = false;

  return {
    buffers: [{ name: 'ring', buffer: handle.buffer }],
    begin(): readonly RoleSpec[] {
      i32.fill(0);
      i32[RING_HEAD] = plan.start;
      i32[layout.RING_LAST_OUT_OF_ORDER] = plan.start;
      claims = plan.deadlinesUs.map(() => 0);
      published = 0;
      finished = false;
      const ring = new JobRing(handle);
      const producer = new JobRingProducer(ring);
      const slotOfJob: number[] = [];
      const deadlineOf = new Map<string, number>();

      function* produce(): Stepping {
        for (let job = 0; job < jobs; job++) {
          for (let old = 0; old < job; old++) {
            const slot = slotOfJob[old]!;
            if (slot < 0 || plan.held.includes(old)) continue;
            const state = Atomics.load(i32, ring.slotBase(slot) + SLOT_STATE);
            machine.observe(state);
            if (statusOf(state) !== layout.STATUS_DONE) continue;
            yield* run(producer.free(slot));
            slotOfJob[old] = -1;
          }
          let slot = yield* run(producer.reserve());
          if (slot < 0) {
            const isFreeable = (old: number): boolean =>
              !plan.held.includes(old) &&
              slotOfJob[old]! >= 0 &&
              statusOf(i32[ring.slotBase(slotOfJob[old]!) + SLOT_STATE]!) === layout.STATUS_DONE;
            yield* machine.until(() => slotOfJob.some((_, old) => isFreeable(old)));
            const old = slotOfJob.findIndex((_, index) => isFreeable(index));
            machine.observe(old);
            yield* run(producer.free(slotOfJob[old]!));
            slotOfJob[old] = -1;
            slot = yield* run(producer.reserve());
          }
          slotOfJob[job] = slot;
          const deadlineUs = plan.deadlinesUs[job]!;
          deadlineOf.set(useOf(slot, i32[ring.slotBase(slot) + SLOT_STATE]!), deadlineUs);
          yield* run(producer.publish(slot, STATUS_READY, job, 0, 0, -1, job, job, deadlineUs));
          published = job + 1;
        }
        finished = true;
        return undefined;
      }

      function* work(owner: number): Stepping {
        const scanner = new JobScanner(ring);
        for (;;) {
          // as a thread with several lanes does: it finds a job, takes another lane's, and looks again
          if (owner === 1) yield* run(scanner.look(false));
          const publishedBefore = published;
          const finishedBefore = finished;
          const ready = readyNow(i32, plan.capacitySlots, ring);
          for (const { state } of ready) machine.observe(state);
          machine.observe(publishedBefore);
          if (!(yield* run(scanner.look(owner === 0)))) {
            if (finishedBefore && publishedBefore === published) return undefined;
            if (published === publishedBefore) yield* machine.until(() => published > publishedBefore || finished);
            continue;
          }
          const found = scanner as unknown as { slot: number; state: number; deadlineUs: number };
          check(
            found.deadlineUs === deadlineOf.get(useOf(found.slot, found.state)),
            () => `a look went by the deadline ${found.deadlineUs}, which is that of another job`,
          );
          const running = yield* run(scanner.claim(owner));
          if (running === 0) continue;
          // nobody has run since the claim
          const base = ring.slotBase(scanner.slot);
          const task = i32[base + layout.SLOT_TASK]!;
          const deadlineUs = i32[base + SLOT_DEADLINE_US]!;
          const sequence = i32[base + SLOT_SEQUENCE]!;
          claims[task]!++;
          check(deadlineUs === plan.deadlinesUs[task], () => `job ${task} has the deadline ${deadlineUs}`);
          for (const { base: other, state } of ready) {
            if (i32[other + SLOT_STATE] !== state) continue;
            const later = (i32[other + SLOT_DEADLINE_US]! - deadlineUs) | 0;
            const tie = later === 0 && ((i32[other + SLOT_SEQUENCE]! - sequence) | 0) < 0;
            if (later < 0 || tie) {
              throw new Error(
                `job ${task} was claimed before job ${i32[other + layout.SLOT_TASK]}, which was ready (C2)`,
              );
            }
          }
          const done = layout.withStatus(running, layout.STATUS_DONE, layout.OUTCOME_ON_TIME, owner);
          yield* run(finish(base, running, done));
        }
      }

      function* finish(base: number, running: number, done: number): Stepping {
        if (machine.point(finishSite, i32, base + SLOT_STATE)) yield;
        const before = machine.compareExchange(i32, base + SLOT_STATE, running, done);
        check(before === running, () => 'the slot of a running job changed');
        return undefined;
      }

      const roles: RoleSpec[] = [{ name: 'producer', main: produce }];
      for (let w = 0; w < plan.workers; w++) roles.push({ name: `worker${w}`, main: () => work(w) });
      return roles;
    },
    end(): void {
      check(
        claims.every((times) => times === 1),
        () => `jobs were claimed ${claims.join(', ')} times`,
      );
      for (const role of machine.roles) check(role.state === 'finished', () => `${role.name} is ${role.state}`);
    },
  };
}

const STATE_STORE = `    Atomics.store(i32, base + SLOT_STATE, withStatus(state, status, 0, OWNER_NONE)); // release
`;
const HEAD_STORE = `    this.head = (position + 1) | 0;
    Atomics.store(i32, RING_HEAD, this.head); // release
`;
const HEAD_BEFORE_STATE: Patch = {
  file: 'ring/job-ring.ts',
  before: STATE_STORE + HEAD_STORE,
  after: HEAD_STORE + STATE_STORE,
};
const STATE_FIRST: Patch = {
  file: 'ring/job-ring.ts',
  before: '    i32[base + SLOT_SEQUENCE] = position;\n',
  after: `    Atomics.store(i32, base + SLOT_STATE, withStatus(0, status));
    i32[base + SLOT_SEQUENCE] = position;
`,
};
const MARK_AFTER_STATE: readonly Patch[] = [
  {
    file: 'ring/job-ring.ts',
    before: '    Atomics.store(this.ring.i32, RING_LAST_OUT_OF_ORDER, mark); // release\n',
    after: '',
  },
  {
    file: 'ring/job-ring.ts',
    before: STATE_STORE + HEAD_STORE,
    after: `${STATE_STORE}${HEAD_STORE}    Atomics.store(i32, RING_LAST_OUT_OF_ORDER, this.lastOutOfOrder);
`,
  },
];
const PLAIN_CLAIM: Patch = {
  file: 'ring/job-scanner.ts',
  before: `  const before = Atomics.compareExchange(ring.i32, at, ready, running);
`,
  after: `  const before = Atomics.load(ring.i32, at);
  if (before === ready) Atomics.store(ring.i32, at, running);
`,
};
const HEAD_READ_AGAIN: Patch = {
  file: 'ring/job-scanner.ts',
  before: '    if (advancing) this.cursor = head;\n',
  after: '    if (advancing) this.cursor = Atomics.load(i32, RING_HEAD);\n',
};
const NO_SECOND_STATE: Patch = {
  file: 'ring/job-scanner.ts',
  before: '    if (stateAfter !== state) return false;\n',
  after: '',
};
const NO_SEQUENCE_CHECK: Patch = {
  file: 'ring/job-scanner.ts',
  before: '        if (sequence === position) {\n',
  after: '        if (sequence !== 99) {\n',
};

const STALE_ENTRY: Patch = {
  file: 'ring/job-scanner.ts',
  before: 'status === STATUS_READY && sequence === position && this.keep(',
  after: 'status === STATUS_READY && this.keep(',
};

const KEPT_DESPITE_MARK: Patch = {
  file: 'ring/job-scanner.ts',
  before: 'return sequence === this.position && mark === this.seenMark && epoch === this.seenEpoch;',
  after: 'return sequence === this.position && epoch === this.seenEpoch;',
};

/** Names one use of a slot. */
const useOf = (slot: number, state: number): string => `${slot} ${state >>> 16}`;

const finishSite = machine.sites.push('test compareExchange') - 1;

function readyNow(
  i32: Int32Array,
  capacitySlots: number,
  ring: { slotBase(slot: number): number },
): { base: number; state: number }[] {
  const ready: { base: number; state: number }[] = [];
  for (let slot = 0; slot < capacitySlots; slot++) {
    const base = ring.slotBase(slot);
    const state = i32[base + SLOT_STATE]!;
    const isPublished = ((i32[base + SLOT_SEQUENCE]! - i32[RING_HEAD]!) | 0) < 0;
    if (statusOf(state) === STATUS_READY && isPublished) ready.push({ base, state });
  }
  return ready;
}

const outOfOrder: Plan = { capacitySlots: 2, deadlinesUs: [30, 10, 20], held: [], workers: 2, start: 0 };
const inOrder: Plan = { capacitySlots: 2, deadlinesUs: [10, 20, 30, 40], held: [], workers: 2, start: 0x7fffffff };
const reused: Plan = { capacitySlots: 2, deadlinesUs: [30, 10, 40, 50, 5], held: [0], workers: 2, start: 0 };
const skipping: Plan = { capacitySlots: 4, deadlinesUs: [10, 20, 40, 30, 50, 60, 5], held: [0], workers: 2, start: -3 };

describe('job ring and scanners: each job is claimed once, the earliest first', () => {
  test.each([
    ['deadlines out of order', outOfOrder, 2, 10_000],
    ['in order, positions that wrap', inOrder, 1, 1000],
    ['slots that are skipped', skipping, 1, 1000],
  ] as const)('%s: all schedules with few preemptions', (_, plan, preemptions, atLeast) => {
    expectSoundWithin(scanning(plan), { preemptions, maxSchedules: 10_000 }, atLeast);
  });

  test('three workers, random schedules', () => {
    const plan = { ...skipping, deadlinesUs: [50, 10, 40, 30, 20, 60, 5, 70, 65], workers: 3 };
    expectSoundAtRandom(scanning(plan), 1500);
  });

  test.each<[string, Plan, Patch | readonly Patch[]]>([
    ['the head is stored before the state', inOrder, HEAD_BEFORE_STATE],
    ['the state is stored before the rest', outOfOrder, STATE_FIRST],
    ['the out-of-order mark is stored after the state', outOfOrder, MARK_AFTER_STATE],
    ['a claim is a plain store', inOrder, PLAIN_CLAIM],
    ['the cursor passes over a later slot of the same look', inOrder, HEAD_READ_AGAIN],
    ['a look finds a slot that was published after it began', inOrder, NO_SEQUENCE_CHECK],
    ['a look goes by the deadline of the next job in the slot', inOrder, NO_SECOND_STATE],
    ['a kept find hides what was published out of order', outOfOrder, KEPT_DESPITE_MARK],
    ['an entry of the heap stands for the next job in the slot', reused, STALE_ENTRY],
  ])('is found: %s', (_, plan, patch) => {
    expectFound(scanning(plan, [patch].flat()), { preemptions: 2, maxSchedules: 60_000 });
  });
});
