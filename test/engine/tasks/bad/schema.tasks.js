import { task } from 'frame-deadline';
export const wrong = task({ input: { x: 'f32' }, run() {} });
