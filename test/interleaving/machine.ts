import type { Clock } from '../../src/base/time.js';

/**
 * Shared memory and threads as the rewritten modules see them: `$` in their code. One role runs at a time, until the
 * scheduler answers a `point` with true, or it blocks. What a role has seen and what memory holds are hashed as they
 * change: with equal hashes, roles that are deterministic will do the same again.
 */

/** What a role waits for at an `await`. */
class Awaited {
  readonly wait: WordWait | null;
  constructor(wait: WordWait | null) {
    this.wait = wait;
  }
}

/** A wait for a notification of one word, by `Atomics.wait` or `Atomics.waitAsync`. */
interface WordWait {
  readonly address: number;
  notified: boolean;
}

export type Stepping<T = unknown> = Generator<unknown, T, unknown>;

/** One thread. */
export interface Role {
  readonly name: string;
  readonly index: number;
  state: 'alive' | 'blocked' | 'finished' | 'dead';
  /** While blocked: whether it may go on. */
  until: () => boolean;
  readonly steps: Stepping;
  /** Whether it may be killed now. */
  readonly mortal: () => boolean;
  seen1: number;
  seen2: number;
}

/** Answers a point: whether to switch to another role before the access. */
export type Decide = (role: Role, site: number, address: number) => boolean;

/** A set of 64-bit hashes: open addressing, 0/0 stands for nothing. */
export class StateSet {
  size = 0;
  private mask = (1 << 16) - 1;
  private words = new Int32Array(1 << 17);

  /** False if it was there. */
  add(h1: number, h2: number): boolean {
    const high = h1 === 0 && h2 === 0 ? 1 : h1 | 0;
    for (let at = h2 & this.mask; ; at = (at + 1) & this.mask) {
      const first = this.words[2 * at];
      const second = this.words[2 * at + 1];
      if (first === 0 && second === 0) {
        this.words[2 * at] = high;
        this.words[2 * at + 1] = h2;
        this.size++;
        if (this.size * 2 > this.mask) this.grow();
        return true;
      }
      if (first === high && second === (h2 | 0)) return false;
    }
  }

  private grow(): void {
    const { words } = this;
    this.mask = this.mask * 2 + 1;
    this.words = new Int32Array(2 * (this.mask + 1));
    this.size = 0;
    for (let i = 0; i < words.length; i += 2) {
      if (words[i] !== 0 || words[i + 1] !== 0) this.add(words[i]!, words[i + 1]!);
    }
  }
}

const READS = new Set(['load', 'read']);

function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  h ^= h >>> 12;
  h = Math.imul(h, 0x297a2d39);
  return h ^ (h >>> 15);
}

function isGenerator(value: unknown): value is Stepping {
  return typeof value === 'object' && value !== null && typeof (value as Stepping).throw === 'function';
}

const ALREADY = {
  value: undefined as unknown,
  [Symbol.iterator]() {
    return this;
  },
  next() {
    return { done: true, value: this.value };
  },
};

export class Machine {
  /** Where the accesses are in the sources. */
  readonly sites: string[] = [];
  roles: Role[] = [];
  current: Role | null = null;
  decide: Decide = () => false;
  /** Time, where it goes by. */
  clock: SharedClock | null = null;
  memory1 = 0;
  memory2 = 0;
  /** By address: the roles that have read it, and those that have written it, one bit each. */
  readers = new Int32Array(0);
  writers = new Int32Array(0);
  private atomic = 0;
  private bases = new Map<ArrayBufferLike, { base: number; name: string }>();
  private waits: WordWait[] = [];
  private lastWords: Int32Array | null = null;
  private lastBase = -1;
  private siteReads: boolean[] = [];

  /** Forgets roles and waits, and takes these buffers as the shared memory: words outside them are private to a role. */
  reset(buffers: readonly { name: string; buffer: ArrayBufferLike }[]): void {
    this.roles = [];
    this.current = null;
    this.memory1 = 0;
    this.memory2 = 0;
    this.atomic = 0;
    this.clock = null;
    this.waits = [];
    this.bases = new Map();
    this.lastWords = null;
    let base = 0;
    for (const { name, buffer } of buffers) {
      this.bases.set(buffer, { base, name });
      base += buffer.byteLength >>> 2;
    }
    if (this.readers.length !== base) {
      this.readers = new Int32Array(base);
      this.writers = new Int32Array(base);
    }
  }

  /** Number of a place in a test where an access is made. */
  siteOf(what: string): number {
    const known = this.sites.indexOf(what);
    return known >= 0 ? known : this.sites.push(what) - 1;
  }

  /** Forgets who has touched what. */
  forgetAccesses(): void {
    this.readers.fill(0);
    this.writers.fill(0);
  }

  spawnRole(name: string, main: () => Stepping, mortal: () => boolean, when: (() => boolean) | null): void {
    const index = this.roles.length;
    const role: Role = {
      name,
      index,
      state: when === null ? 'alive' : 'blocked',
      until: when ?? (() => true),
      steps: this.thread(main),
      mortal,
      seen1: index,
      seen2: index + 100,
    };
    this.roles.push(role);
  }

  isEnabled(role: Role): boolean {
    return role.state === 'alive' || (role.state === 'blocked' && role.until());
  }

  /** Makes what the running role does next depend on a value that it got otherwise than from shared words. */
  observe(value: number): void {
    const role = this.current;
    if (role === null) return;
    role.seen1 = mix(role.seen1, value);
    role.seen2 = mix(role.seen2 ^ 0x55555555, value);
  }

  /** Adds the hash of all that decides how things go on. False if it was there. */
  enter(seen: StateSet, extra: number): boolean {
    let h1 = mix(this.memory1, extra);
    let h2 = mix(this.memory2, extra ^ 0x1234567);
    for (let i = 0; i < this.roles.length; i++) {
      const role = this.roles[i]!;
      const state = role.state === 'alive' ? 1 : role.state === 'blocked' ? 2 : role.state === 'dead' ? 3 : 4;
      h1 = mix(h1, role.seen1) ^ state;
      h2 = mix(h2, role.seen2) ^ state;
    }
    return seen.add(h1, h2);
  }

  nameOf(address: number): string {
    for (const { base, name } of [...this.bases.values()].reverse())
      if (address >= base) return `${name}[${address - base}]`;
    return String(address);
  }

  /** The running role reads the word without a point of its own: with the access that it makes next. */
  reads(words: Int32Array, at: number): number {
    const address = this.addressOf(words, at);
    if (this.current !== null && address >= 0) this.readers[address]! |= 1 << this.current.index;
    return this.load(words, at);
  }

  // ------------------------------------------------- called by the rewritten modules
  point(site: number, words: Int32Array, at: number): boolean {
    const role = this.current;
    if (role === null || this.atomic > 0) return false;
    const address = this.addressOf(words, at);
    if (address < 0) return false;
    this.siteReads[site] ??= READS.has(this.sites[site]!.split(' ')[1]!);
    if (this.siteReads[site]) this.readers[address]! |= 1 << role.index;
    else this.writers[address]! |= 1 << role.index;
    return this.decide(role, site, address);
  }

  load(words: Int32Array, at: number): number {
    const value = words[at]!;
    this.observe(value);
    return value;
  }
  read(words: Int32Array, at: number): number {
    const value = words[at]!;
    this.observe(value);
    return value;
  }
  store(words: Int32Array, at: number, value: number): number {
    this.change(words, at, value);
    return value;
  }
  write(words: Int32Array, at: number, value: number): number {
    this.change(words, at, value);
    return value;
  }
  compareExchange(words: Int32Array, at: number, expected: number, value: number): number {
    const before = words[at]!;
    if (before === (expected | 0)) this.change(words, at, value);
    this.observe(before);
    return before;
  }
  exchange(words: Int32Array, at: number, value: number): number {
    return this.modify(words, at, () => value);
  }
  add(words: Int32Array, at: number, value: number): number {
    return this.modify(words, at, (before) => before + value);
  }
  sub(words: Int32Array, at: number, value: number): number {
    return this.modify(words, at, (before) => before - value);
  }
  and(words: Int32Array, at: number, value: number): number {
    return this.modify(words, at, (before) => before & value);
  }
  or(words: Int32Array, at: number, value: number): number {
    return this.modify(words, at, (before) => before | value);
  }
  notify(words: Int32Array, at: number, count?: unknown): number {
    const address = this.addressOf(words, at);
    const most = typeof count === 'number' ? count : Number.POSITIVE_INFINITY;
    let woken = 0;
    for (const wait of this.waits) {
      if (woken === most) break;
      if (wait.address !== address) continue;
      wait.notified = true;
      woken++;
    }
    this.waits = this.waits.filter((wait) => !wait.notified);
    this.observe(woken);
    return woken;
  }

  *wait(
    site: number,
    words: Int32Array,
    at: number,
    value: number,
    timeoutMs = Number.POSITIVE_INFINITY,
  ): Stepping<string> {
    if (this.point(site, words, at)) yield;
    const now = words[at]!;
    this.observe(now);
    if (now !== value) return 'not-equal';
    const wait = { address: this.addressOf(words, at), notified: false };
    this.waits.push(wait);
    const { clock } = this;
    if (timeoutMs !== Number.POSITIVE_INFINITY && clock === null) throw new Error('a wait with a timeout: no clock');
    const endUs = timeoutMs === Number.POSITIVE_INFINITY ? timeoutMs : clock!.nowPreciseUs() + timeoutMs * 1000;
    yield* this.until(() => wait.notified || (clock !== null && clock.words[0]! >= endUs));
    return 'ok';
  }

  waitAsync(words: Int32Array, at: number, value: number): { async: boolean; value: unknown } {
    const now = words[at]!;
    this.observe(now);
    if (now !== value) return { async: false, value: 'not-equal' };
    const wait: WordWait = { address: this.addressOf(words, at), notified: false };
    this.waits.push(wait);
    return { async: true, value: wait };
  }

  /** What a call gave: the steps to take if it was of a stepped function, else its value at once. */
  run(called: unknown): Iterable<unknown> {
    if (isGenerator(called)) return called;
    ALREADY.value = called;
    return ALREADY as unknown as Iterable<unknown>;
  }

  /** All the steps in one go: where the language allows no switch (constructors, getters). */
  complete(called: unknown): unknown {
    if (!isGenerator(called)) return called;
    this.atomic++;
    try {
      const { done, value } = called.next();
      if (done !== true) throw new Error('a wait where nothing can be split');
      return value;
    } finally {
      this.atomic--;
    }
  }

  *forEach<T>(list: readonly T[], callback: (value: T, index: number) => Stepping): Stepping<void> {
    for (let i = 0; i < list.length; i++) yield* callback(list[i]!, i);
  }

  *await(value: unknown): Stepping {
    yield new Awaited(value === null || value === undefined ? null : (value as WordWait));
    return undefined;
  }

  /** Runs an asynchronous function up to its first await; the rest goes on when the role is in its event loop. */
  *spawn(called: unknown): Stepping<void> {
    if (!isGenerator(called)) return;
    const awaited = yield* this.upToAwait(called);
    if (awaited !== null) this.tasks.get(this.current!)!.push({ steps: called, wait: awaited.wait });
  }

  // ------------------------------------------------- threads
  /** Blocks the running role until the condition holds; it may only depend on what is hashed. */
  *until(holds: () => boolean): Stepping<void> {
    const role = this.current!;
    if (holds()) return;
    role.until = holds;
    role.state = 'blocked';
    yield;
    role.state = 'alive';
  }

  private readonly tasks = new WeakMap<Role, { steps: Stepping; wait: WordWait | null }[]>();

  /** A thread: its main function, then its event loop for as long as something is awaited. */
  private *thread(main: () => Stepping): Stepping {
    const role = this.current!;
    role.state = 'alive';
    const tasks: { steps: Stepping; wait: WordWait | null }[] = [{ steps: main(), wait: null }];
    this.tasks.set(role, tasks);
    while (tasks.length > 0) {
      yield* this.until(() => tasks.some(({ wait }) => wait === null || wait.notified));
      const at = tasks.findIndex(({ wait }) => wait === null || wait.notified);
      const [task] = tasks.splice(at, 1);
      const awaited = yield* this.upToAwait(task!.steps);
      if (awaited !== null) tasks.push({ steps: task!.steps, wait: awaited.wait });
    }
    return undefined;
  }

  private *upToAwait(steps: Stepping): Stepping<Awaited | null> {
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return null;
      if (value instanceof Awaited) return value;
      yield value;
    }
  }

  private modify(words: Int32Array, at: number, change: (before: number) => number): number {
    const before = words[at]!;
    this.change(words, at, change(before));
    this.observe(before);
    return before;
  }

  private change(words: Int32Array, at: number, value: number): void {
    const before = words[at]!;
    words[at] = value;
    const after = words[at]!;
    this.observe(after);
    if (before === after) return;
    const address = this.addressOf(words, at);
    if (address < 0) return;
    this.memory1 ^= mix(address, before) ^ mix(address, after);
    this.memory2 ^= mix(address ^ 0x3c3c3c, before) ^ mix(address ^ 0x3c3c3c, after);
  }

  private addressOf(words: Int32Array, at: number): number {
    if (words !== this.lastWords) {
      this.lastWords = words;
      this.lastBase = this.bases.get(words.buffer)?.base ?? -1;
    }
    return this.lastBase < 0 ? -1 : this.lastBase + at;
  }
}

/** A clock in shared memory: it goes on when a role says so, at any step of the others. */
export class SharedClock implements Clock {
  readonly words: Int32Array<SharedArrayBuffer>;
  constructor() {
    this.words = new Int32Array(new SharedArrayBuffer(4));
  }
  nowUs(): number {
    return machine.reads(this.words, 0);
  }
  nowPreciseUs(): number {
    return machine.reads(this.words, 0);
  }
  /** A role that sets it to these times, one after the other. */
  *goOn(timesUs: readonly number[]): Stepping<void> {
    const site = machine.siteOf('the clock store');
    for (const timeUs of timesUs) {
      if (machine.point(site, this.words, 0)) yield;
      machine.store(this.words, 0, timeUs);
    }
  }
}

/** The one machine: its memory and roles are replaced for each run. */
export const machine = new Machine();

/** Types a call of a stepped function as what it really gives: `const found = yield* run(scanner.look())`. */
export function run<T>(called: T): Generator<unknown, T, unknown> {
  return machine.run(called) as Generator<unknown, T, unknown>;
}

/** As an assertion, but cheap: roles make millions of them. */
export function check(holds: boolean, what: () => string): void {
  if (!holds) throw new Error(what());
}
