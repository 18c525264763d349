/** Where things lie in the picture, as shares of its width or height. */
export const LAYOUT = {
  barsLeft: 0.03,
  barsWidth: 0.94,
  /** The line on which the bars stand. */
  horizonY: 0.84,
  barsHeight: 0.5,
  waveY: 0.26,
  waveHeight: 0.17,
} as const;

/** Line widths and glows are given for a picture this high, and scale with it. */
export const REFERENCE_HEIGHT = 360;
