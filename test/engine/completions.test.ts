import { expect, it } from 'vitest';
import type { Backend } from '../../src/scheduler/backend.js';
import { Completions } from '../../src/scheduler/completions.js';

/** A job that ends in another thread, just after it was looked at that many times. */
const endingAfter = (looks: number): { readonly ended: boolean } => {
  let left = looks;
  return {
    get ended() {
      return left-- <= 0;
    },
  };
};

it.each([0, 1, 2, 3, 4])(
  'a job that ends in the middle of a settling is found by the next: after %i looks',
  (looks) => {
    let held = 0;
    const backend = {
      memory: { control: new Int32Array(new SharedArrayBuffer(1024)) },
      hold: () => held++,
      drop: () => held--,
      waitAsync: () => new Promise(() => {}),
    } as unknown as Backend;
    const completions = new Completions(backend);
    const resolved: string[] = [];
    completions.add(endingAfter(1), () => resolved.push('first'));
    completions.add(endingAfter(looks), () => resolved.push('second'));
    expect(held).toBe(1);
    for (let i = 0; i < 6; i++) completions.settle();
    expect(resolved.sort()).toEqual(['first', 'second']);
  },
);
