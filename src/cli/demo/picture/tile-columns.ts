import { LAYOUT } from './layout.js';
import type { SceneView } from './scene.js';

/** Pixels left and right of the tile for which the waveform is known too: a line reaches that far. */
export const WAVE_MARGIN = 4;

/**
 * What is the same for all pixels of a column of the tile at hand. Every value depends on the column's place in the
 * picture and on the scene only, never on the tile: so tiles join without a seam.
 */
export class TileColumns {
  /** Heights in pixels above the horizon. */
  barHeight: Float64Array;
  peakHeight: Float64Array;
  /** Heights smoothed over neighbouring bars: glow has no gaps. */
  glowHeight: Float64Array;
  /** How much of the column the bar covers, 0 to 1. */
  cover: Float64Array;
  red: Float64Array;
  green: Float64Array;
  blue: Float64Array;
  /** Square of the distance from the picture's middle, 0 to 1: for the vignette. */
  offCentre: Float64Array;
  /** The waveform's y in pixels, `WAVE_MARGIN` columns more on each side. */
  waveY: Float64Array;
  /** Least and greatest y of the waveform within 3 columns. */
  waveLow: Float64Array;
  waveHigh: Float64Array;
  private capacity: number;

  constructor(capacity: number) {
    this.capacity = 0;
    this.barHeight = this.peakHeight = this.glowHeight = this.cover = new Float64Array(0);
    this.red = this.green = this.blue = this.offCentre = this.barHeight;
    this.waveY = this.waveLow = this.waveHigh = this.barHeight;
    this.reserve(capacity);
  }

  /** Makes room for tiles `width` wide; allocates only where they are wider than any before. */
  reserve(width: number): void {
    if (width <= this.capacity) return;
    this.capacity = width;
    this.barHeight = new Float64Array(width);
    this.peakHeight = new Float64Array(width);
    this.glowHeight = new Float64Array(width);
    this.cover = new Float64Array(width);
    this.red = new Float64Array(width);
    this.green = new Float64Array(width);
    this.blue = new Float64Array(width);
    this.offCentre = new Float64Array(width);
    this.waveY = new Float64Array(width + 2 * WAVE_MARGIN);
    this.waveLow = new Float64Array(width);
    this.waveHigh = new Float64Array(width);
  }

  prepare(tileX: number, tileWidth: number, imageWidth: number, imageHeight: number, scene: SceneView): void {
    this.prepareBars(tileX, tileWidth, imageWidth, imageHeight, scene);
    this.prepareWave(tileX, tileWidth, imageWidth, imageHeight, scene);
  }

  private prepareBars(
    tileX: number,
    tileWidth: number,
    imageWidth: number,
    imageHeight: number,
    scene: SceneView,
  ): void {
    const { bars, peaks, barCount, timeS } = scene;
    const fullHeight = LAYOUT.barsHeight * imageHeight;
    const left = LAYOUT.barsLeft * imageWidth;
    const barWidth = (LAYOUT.barsWidth * imageWidth) / barCount;
    const halfBar = Math.max(0.5, 0.34 * barWidth);
    const drift = 0.08 * Math.sin(timeS * 0.4);
    for (let column = 0; column < tileWidth; column++) {
      const x = tileX + column + 0.5;
      const place = (x - left) / barWidth;
      const bar = Math.floor(place);
      const inside = bar >= 0 && bar < barCount;
      const fromMiddle = Math.abs(place - bar - 0.5) * barWidth;
      this.cover[column] = inside ? Math.min(1, Math.max(0, halfBar - fromMiddle + 0.5)) : 0;
      this.barHeight[column] = inside ? bars[bar]! * fullHeight : 0;
      this.peakHeight[column] = inside ? peaks[bar]! * fullHeight : 0;
      this.glowHeight[column] = smoothed(bars, barCount, place - 0.5) * fullHeight;
      const hue = Math.min(1, Math.max(0, place / barCount + drift));
      // rose, violet, cyan from low to high
      const toViolet = Math.min(1, hue * 2);
      const toCyan = Math.max(0, hue * 2 - 1);
      this.red[column] = mix(mix(1.0, 0.3, toViolet), 0.01, toCyan);
      this.green[column] = mix(mix(0.02, 0.06, toViolet), 0.55, toCyan);
      this.blue[column] = mix(mix(0.2, 1.0, toViolet), 0.85, toCyan);
      const fromCentre = (2 * x) / imageWidth - 1;
      this.offCentre[column] = fromCentre * fromCentre;
    }
  }

  private prepareWave(
    tileX: number,
    tileWidth: number,
    imageWidth: number,
    imageHeight: number,
    scene: SceneView,
  ): void {
    const { wave, wavePoints } = scene;
    const middle = LAYOUT.waveY * imageHeight;
    const height = LAYOUT.waveHeight * imageHeight;
    for (let column = -WAVE_MARGIN; column < tileWidth + WAVE_MARGIN; column++) {
      const across = Math.min(1, Math.max(0, (tileX + column + 0.5) / imageWidth));
      const place = across * (wavePoints - 1);
      const point = Math.min(wavePoints - 2, Math.floor(place));
      const value = mix(wave[point]!, wave[point + 1]!, place - point);
      // tapers to rest at both ends
      const edge = Math.min(1, Math.min(across, 1 - across) * 9);
      this.waveY[column + WAVE_MARGIN] = middle - value * height * edge * edge * (3 - 2 * edge);
    }
    for (let column = 0; column < tileWidth; column++) {
      const first = column + WAVE_MARGIN - 3;
      let low = this.waveY[first]!;
      let high = low;
      for (let i = first + 1; i <= first + 6; i++) {
        const y = this.waveY[i]!;
        if (y < low) low = y;
        if (y > high) high = y;
      }
      this.waveLow[column] = low;
      this.waveHigh[column] = high;
    }
  }
}

/** Weighted mean of the bars around the fractional index `place`: a triangle 4 bars wide to either side. */
function smoothed(bars: Float32Array, barCount: number, place: number): number {
  const first = Math.ceil(place - 4);
  let sum = 0;
  let weights = 0;
  for (let bar = first; bar < first + 8; bar++) {
    const weight = Math.max(0, 4 - Math.abs(bar - place));
    if (bar >= 0 && bar < barCount) sum += bars[bar]! * weight;
    weights += weight;
  }
  return sum / weights;
}

function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}
