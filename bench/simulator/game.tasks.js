import { f32, task, u32 } from 'frame-deadline';

// What the virtual workers run: how long a job takes is the simulator's affair, its input says.

/** A block of 128 sample frames. */
export const block = task({ input: {}, run() {} });
/** A part of a frame: `us` of work. */
export const part = task({ input: { us: f32 }, run() {} });
/** One input event. */
export const event = task({ input: { number: u32 }, run() {} });
