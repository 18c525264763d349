import { pbkdf2Sync } from 'node:crypto';
import { bytes, StreamRing, task, u32 } from 'frame-deadline';

// What random jobs do. Each handler reports by itself that it ran: the referee compares it with what the host was told.

/** Sum that the host computes too. */
export const checksum = (id, values) =>
  values.reduce((sum, value) => Math.imul(sum ^ value, 0x9e3779b1) >>> 0, id >>> 0);

function busy(us) {
  const end = performance.now() + us / 1000;
  while (performance.now() < end);
}
function endless() {
  for (;;);
}

/** Reports its start, acts, answers and reports its end. */
const job = (act, options = {}) =>
  task({
    input: { id: u32, us: u32, values: u32.array(4) },
    output: { id: u32, sum: u32 },
    ...options,
    run(input, output, context) {
      const { starts, startTickets, ends, endTickets, ticket } = context.shared;
      const { id } = input;
      Atomics.store(startTickets, id, Atomics.add(ticket, 0, 1) + 1);
      const times = Atomics.add(starts, id, 1) + 1;
      const result = act(input, context, times);
      output.id = id;
      output.sum = checksum(id, input.values);
      Atomics.store(endTickets, id, Atomics.add(ticket, 0, 1) + 1);
      Atomics.add(ends, id, 1);
      return result;
    },
  });

export const fine = job(() => {});
export const steady = job(() => {}, { idempotent: true });
export const spin = job(({ us }) => busy(us), { budgetUs: 500 });
export const spinAgain = job(({ us }) => busy(us), { idempotent: true, deadlineMs: 30 });
export const sleep = job(({ us }) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, us / 1000);
});
/** Ends when it is told that it is cancelled, or after its time. */
export const ask = job(({ us }, context) => {
  const end = performance.now() + us / 1000;
  while (performance.now() < end) if (context.cancelled() || context.shouldYield()) return;
});
export const litter = job(({ us }) => {
  const kept = [];
  for (let i = 0; i < us; i++) kept.push({ i, text: `${i}` });
});

/** Ways to fail in a handler. */
export const thrower = job(({ us }) => {
  switch (us % 6) {
    case 0:
      throw new TypeError('thrown by a handler');
    case 1:
      throw 'a string';
    case 2:
      throw undefined;
    case 3:
      throw Object.freeze({ name: 'AbortError', message: { toString: () => 'odd' } });
    case 4:
      throw new Proxy({}, { get: () => endlessly() });
    default:
      throw Object.assign(new Error('x'.repeat(10_000)), { code: 'E_LONG', stack: 7 });
  }
});
function endlessly() {
  throw new Error('a getter threw');
}
export const promise = job(() => Promise.reject(new Error('a promise of a handler')));
export const overflow = job(() => {
  const deeper = (depth) => 1 + deeper(depth + 1);
  deeper(0);
});

// Ways not to end.
export const hang = job(endless);
export const hangWaiting = job(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
export const hangOnce = job((_input, _context, times) => times === 1 && endless(), { idempotent: true });
/** In native code: nobody can end it before it ends by itself. */
export const native = job(({ us }) => void pbkdf2Sync('a', 'b', us, 64, 'sha512'));

// Ways to end the worker.
export const exit = job(({ us }) => process.exit(us % 5));
export const exitOnce = job((_input, _context, times) => times === 1 && process.exit(1), { idempotent: true });
export const exitAlways = job(() => process.exit(1), { idempotent: true });
/** Where the worker returns to its event loop, it dies there; elsewhere some time later or never. */
export const throwLater = job(() => {
  setTimeout(() => {
    throw new Error('thrown by a timer');
  }, 1);
});
export const rejectLater = job(() => {
  setImmediate(() => Promise.reject(new Error('rejected with nobody there')));
});
export const exhaust = job(() => {
  const kept = [];
  for (;;) kept.push(new Array(1000).fill(Math.random()));
});

/** Another payload: bytes that come back reversed. */
export const reverse = task({
  input: { id: u32, data: bytes(300) },
  output: { id: u32, data: bytes(300) },
  idempotent: true,
  run(input, output, context) {
    const { starts, startTickets, ends, endTickets, ticket } = context.shared;
    Atomics.store(startTickets, input.id, Atomics.add(ticket, 0, 1) + 1);
    Atomics.add(starts, input.id, 1);
    output.id = input.id;
    const { length } = input.data;
    output.data.length = length;
    for (let i = 0; i < length; i++) output.data.bytes[i] = input.data.bytes[length - 1 - i];
    Atomics.store(endTickets, input.id, Atomics.add(ticket, 0, 1) + 1);
    Atomics.add(ends, input.id, 1);
  },
});

const producers = new WeakMap();
/** Writes the period to the lane's stream: one worker serves such a lane, its predecessors are gone or stuck elsewhere. */
function stream(buffer, period) {
  let producer = producers.get(buffer);
  if (producer === undefined) {
    producer = StreamRing.attach(buffer, 'records').producer({ takeOver: true });
    producers.set(buffer, producer);
  }
  const at = producer.beginWrite();
  if (at < 0) {
    producer.countOverrun();
    return;
  }
  producer.memory.i32.set([period, ~period], at >> 2);
  producer.commitWrite();
}

/** Released by a worker: reports its period; some of them take their time, throw, hang or die. */
export const tick = task({
  input: {},
  budgetUs: 2000,
  run(_input, _output, context) {
    const { periods, ticking } = context.shared;
    const { period } = context;
    Atomics.add(periods, period % periods.length, 1);
    if (context.shared.stream !== undefined) stream(context.shared.stream, period);
    const every = ticking.every;
    if (every === 0 || period % every !== every - 1) return;
    if (ticking.how === 'exit') process.exit(2);
    if (ticking.how === 'hang') endless();
    if (ticking.how === 'throw') throw new Error('thrown in a period');
    busy(ticking.us);
  },
});
