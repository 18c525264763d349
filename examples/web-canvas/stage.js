// What the page and its lanes share, and where in it what lies.

export const WIDTH = 320;
export const HEIGHT = 240;
export const PIXEL_BYTES = WIDTH * HEIGHT * 4;
/** Points of the trail that are kept: a power of two. */
export const TRAIL_POINTS = 128;

/** Bytes of a pointer record: f64 stamp in milliseconds, then f32 x, y (0 to 1), pressure, and i32 buttons. */
export const POINTER_BYTES = 24;

/** Word of `words`: pointer events that were read. */
export const EVENTS = 0;

/**
 * Shared by all.
 * @typedef {object} Stage
 * @property {SharedArrayBuffer} pointer ring of records
 * @property {SharedArrayBuffer} words
 * @property {SharedArrayBuffer} trail f32 x, y of the last points
 * @property {SharedArrayBuffer} stamp f64: of the newest pointer event that was read
 * @property {SharedArrayBuffer} shaded two pictures: one is shown while the next is drawn
 */
