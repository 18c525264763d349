import { task, u8 } from 'frame-deadline';
export const large = task({ input: { pixels: u8.array(40_000) }, output: { pixels: u8.array(40_000) }, run() {} });
