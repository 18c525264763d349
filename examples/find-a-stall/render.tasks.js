import { task, u32 } from 'frame-deadline';

/** @param {number} us */
function burn(us) {
  const end = performance.now() + us / 1000;
  while (performance.now() < end);
}

/** A tile of the picture: 2 ms. */
export const tile = task({ input: { index: u32 }, run: () => burn(2000) });

/** Light baked into the map now and then: 40 ms, far longer than a frame. */
export const bakeLight = task({ input: {}, deadlineMs: 500, run: () => burn(40_000) });
