import { task } from '../../../dist/web.js';

export { twice } from './work.tasks.js';

/** Never returns: word 0 shows that it still runs. */
export const hang = task({
  input: {},
  run(_input, _output, { shared }) {
    for (;;) Atomics.add(shared.alive, 0, 1);
  },
});

/** The same, the first time; run again it returns. */
export const hangOnce = task({
  input: {},
  idempotent: true,
  run(_input, _output, { shared }) {
    if (Atomics.add(shared.alive, 1, 1) > 0) return;
    for (;;) Atomics.add(shared.alive, 0, 1);
  },
});

/** Its thread ends when it has returned. */
export const quit = task({ input: {}, run: () => self.close() });
