import { task } from 'frame-deadline';

/** Stops there if word 4 is set, once, and if a debugger is attached to the thread. */
function breakpoint(words) {
  // biome-ignore lint/suspicious/noDebugger: what is tested
  if (Atomics.exchange(words, 4, 0) !== 0) debugger;
}

/** One period, counted. */
export const tick = task({
  input: {},
  run(_input, _output, context) {
    Atomics.add(context.shared.words, 0, 1);
    breakpoint(context.shared.words);
  },
});

/** Runs JavaScript until it is let go. */
export const spin = task({
  input: {},
  run(_input, _output, context) {
    Atomics.add(context.shared.words, 3, 1);
    breakpoint(context.shared.words);
    while (Atomics.load(context.shared.words, 2) === 0);
  },
});

export const fine = task({ input: {}, run() {} });
