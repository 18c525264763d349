export const answer = 42;
export const tile = { input: {}, output: {}, run() {} };
