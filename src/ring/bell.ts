import {
  BELL_AWAKE,
  BELL_PARKED,
  BELL_RUNG,
  CONTROL_WATCH_ASLEEP,
  type ControlLayout,
  WORKER_BELL,
} from '../memory/layout.js';

/** Without the sign bit, which means that a lane was given up. */
const WORKERS_MASK = 0x7fff_ffff;

/**
 * The bell: one word per worker, `awake | parked | rung`. A ring before the park is not lost (token semantics, as in
 * crossbeam's `Parker`). One word for all with "notify one" would wake the wrong worker: see `model/bell.pml`.
 */
export class Bells {
  private readonly control: Int32Array<SharedArrayBuffer>;
  private readonly layout: ControlLayout;
  constructor(control: Int32Array<SharedArrayBuffer>, layout: ControlLayout) {
    this.control = control;
    this.layout = layout;
  }

  /** Rings one parked worker of the mask, lowest number first (placement gives low numbers to the most specialised). Any thread. */
  ringOne(workersMask: number): void {
    let rest = workersMask & WORKERS_MASK;
    while (rest !== 0) {
      const worker = 31 - Math.clz32(rest & -rest);
      rest &= rest - 1;
      if (this.ring(worker)) return;
    }
  }

  /** Whether a worker of the mask is parked now. */
  anyParked(workersMask: number): boolean {
    let rest = workersMask & WORKERS_MASK;
    while (rest !== 0) {
      const worker = 31 - Math.clz32(rest & -rest);
      rest &= rest - 1;
      const word = Atomics.load(this.control, this.layout.worker(worker) + WORKER_BELL);
      if (word === BELL_PARKED) return true;
    }
    return false;
  }

  /** Wakes whoever is parked, and leaves a ring for whoever is about to park. Supervisor: deaths and commands. */
  ringAlways(worker: number): void {
    const at = this.layout.worker(worker) + WORKER_BELL;
    Atomics.store(this.control, at, BELL_RUNG);
    Atomics.notify(this.control, at);
  }

  /** Announces that the worker will park. It must look at all its rings once more before `wait`. False if it was rung meanwhile. */
  announcePark(worker: number): boolean {
    const at = this.layout.worker(worker) + WORKER_BELL;
    const before = Atomics.compareExchange(this.control, at, BELL_AWAKE, BELL_PARKED);
    if (before === BELL_AWAKE) return true;
    Atomics.store(this.control, at, BELL_AWAKE);
    return false;
  }

  /** Blocks until rung, at most `timeoutMs` (Infinity: for ever), then sets the word to awake. Worker threads only. */
  wait(worker: number, timeoutMs: number): void {
    const at = this.layout.worker(worker) + WORKER_BELL;
    Atomics.wait(this.control, at, BELL_PARKED, timeoutMs);
    this.awake(at);
  }

  /** Takes back an announced park. A ring that came meanwhile is consumed: the worker looks again anyway. */
  cancelPark(worker: number): void {
    this.awake(this.layout.worker(worker) + WORKER_BELL);
  }

  /** Whether the worker is parked and not rung. */
  isParked(worker: number): boolean {
    return Atomics.load(this.control, this.layout.worker(worker) + WORKER_BELL) === BELL_PARKED;
  }

  /** Whether the worker has been rung since it announced its park. */
  isRung(worker: number): boolean {
    return Atomics.load(this.control, this.layout.worker(worker) + WORKER_BELL) === BELL_RUNG;
  }

  /** Back from a park: jobs may run, and hang, from now on. */
  private awake(at: number): void {
    Atomics.store(this.control, at, BELL_AWAKE);
    if (Atomics.load(this.control, CONTROL_WATCH_ASLEEP) === 0) return;
    Atomics.store(this.control, CONTROL_WATCH_ASLEEP, 0);
    Atomics.notify(this.control, CONTROL_WATCH_ASLEEP);
  }

  private ring(worker: number): boolean {
    const at = this.layout.worker(worker) + WORKER_BELL;
    const seen = Atomics.load(this.control, at);
    if (seen !== BELL_PARKED) return false;
    const before = Atomics.compareExchange(this.control, at, BELL_PARKED, BELL_RUNG);
    if (before !== BELL_PARKED) return false;
    Atomics.notify(this.control, at, 1);
    return true;
  }
}
