/** What the bench `priority` and its task share. */

export const PERIOD_MS = 16.667;
export const WORK_MS = 8;

/** Words of the shared memory: the frames to work in, from `FROM` up to and not including `TO`; the last one begun. */
export const FROM = 0;
export const TO = 1;
export const LAST = 2;
/** From here on, when each of these frames finished, microseconds after its release. */
export const FINISHES = 16;
export const NEVER_RAN = -1;
export const MAX_FRAMES = 1024;
