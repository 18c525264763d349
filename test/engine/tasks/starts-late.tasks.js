import { task } from 'frame-deadline';

/** Done a while after the other lane's worker has ended. @param {import('frame-deadline').InitializeContext} context */
export async function initialize({ shared }) {
  while (Atomics.load(shared.ticks, 0) === 0) await new Promise((done) => setTimeout(done, 5));
  await new Promise((done) => setTimeout(done, 400));
}

export const nothing = task({ input: {}, run() {} });
