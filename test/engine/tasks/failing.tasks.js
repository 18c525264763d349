import { f64, task, u32 } from 'frame-deadline';

class DeviceError extends Error {
  name = 'DeviceError';
  code = 'E_DEVICE';
}

function deep(depth) {
  if (depth === 0) throw new DeviceError('it broke');
  deep(depth - 1);
}

const WAYS = [
  () => deep(3),
  () => {
    throw 'a string';
  },
  () => {
    throw null;
  },
  () => {
    throw undefined;
  },
  () => {
    throw 5n;
  },
  () => {
    throw Symbol('why');
  },
  () => {
    throw Object.create(null);
  },
  () => {
    throw new Error('long '.repeat(1e6));
  },
  () => {
    throw Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('in the getter');
      },
    });
  },
  () => {
    throw new Proxy(
      {},
      {
        getPrototypeOf() {
          throw new Error('in the trap');
        },
      },
    );
  },
  () => {
    const recurse = () => recurse() + 1;
    recurse();
  },
  () => {
    throw Object.assign(new Error('numbers'), { name: 7, code: 8, stack: 9 });
  },
  () => {
    throw Object.assign(new Error('\u0000\ud800"\\'.repeat(300)), { stack: '\u0001'.repeat(10_000) });
  },
  (input) => {
    input.nosuchInput = 1;
  },
  (_input, output) => {
    output.nosuch = 1;
  },
  (_input, output) => {
    output.count = -1;
  },
  () => Promise.resolve(),
  async () => {
    throw new Error('asynchronously');
  },
  () => {
    throw new AggregateError([new Error('one')], 'several');
  },
];

export const fail = task({
  input: { way: u32 },
  output: { count: u32 },
  run: (input, output) => WAYS[input.way](input, output),
});
export const wayCount = WAYS.length;

export const fine = task({
  input: { x: f64 },
  output: { x: f64 },
  run(input, output) {
    output.x = input.x;
  },
});
