import { type TileColumns, WAVE_MARGIN } from './tile-columns.js';

/** The waveform's light along one row of the tile: per row, since a call per pixel would box its numbers. */
export class WaveRow {
  /** One value for each column. */
  light: Float64Array;

  constructor(capacity: number) {
    this.light = new Float64Array(capacity);
  }

  /** Makes room for tiles `width` wide; allocates only where they are wider than any before. */
  reserve(width: number): void {
    if (width > this.light.length) this.light = new Float64Array(width);
  }

  /**
   * The exact distance from the line's nearest segments for the core, a cheaper one for the glow.
   *
   * @param y the row's middle in the picture, in pixels
   * @param half half the line's width, in pixels
   * @param glowScale how fast the glow fades, per pixel
   */
  prepare(columns: TileColumns, width: number, y: number, half: number, glowScale: number): void {
    const { waveY, waveLow, waveHigh } = columns;
    const { light } = this;
    for (let column = 0; column < width; column++) {
      const low = waveLow[column]!;
      const high = waveHigh[column]!;
      const beyond = y < low ? low - y : y > high ? y - high : 0;
      const glow = beyond * glowScale;
      // a line that rises steeply spreads its light, as on an oscilloscope
      const speed = 1 / (1 + (high - low) * 0.035);
      let sum = (0.11 * speed) / (1 + glow * glow * 2.5);
      if (beyond < half + 1) {
        const middle = column + WAVE_MARGIN;
        let nearest = 1e9;
        for (let i = -3; i < 3; i++) {
          const ay = waveY[middle + i]!;
          const dy = waveY[middle + i + 1]! - ay;
          const py = y - ay;
          let along = (-i + py * dy) / (1 + dy * dy);
          along = along < 0 ? 0 : Math.min(along, 1);
          const ex = -i - along;
          const ey = py - along * dy;
          const squared = ex * ex + ey * ey;
          if (squared < nearest) nearest = squared;
        }
        const core = half + 0.5 - Math.sqrt(nearest);
        if (core > 0) sum += (0.35 + 0.95 * speed) * Math.min(core, 1);
      }
      light[column] = sum;
    }
  }
}
