import { task } from 'frame-deadline';

const endless = () => {
  for (;;);
};

/** Two that are alike, so that none is quarantined. */
export const hang0 = task({ input: {}, run: endless });
export const hang1 = task({ input: {}, run: endless });

/** What waits behind a hang: begins when the lane serves again. */
export const mark = task({ input: {}, run() {} });

/** Of another worker. */
export const beat = task({ input: {}, run() {} });
