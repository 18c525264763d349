import { task } from '../../../dist/web.js';

export { twice } from '../../web/page/work.tasks.js';

/** Ends its own thread. */
export const quit = task({ input: {}, run: () => self.close() });

/** Ends its own thread, and never returns: as one that was killed. */
export const die = task({
  input: {},
  run() {
    self.close();
    for (;;);
  },
});

/** Never returns. */
export const hang = task({
  input: {},
  run() {
    for (;;);
  },
});
