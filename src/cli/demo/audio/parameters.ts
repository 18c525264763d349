/** Sample frames per block of the demo's sound. */
export const BLOCK_SAMPLE_FRAMES = 128;

export type EqShape = 'lowShelf' | 'peak' | 'highShelf';

/** The bands of the equaliser, low to high. A band more is a line more. */
export const EQ_BANDS: readonly { name: string; shape: EqShape; frequencyHz: number; q: number }[] = [
  { name: 'low', shape: 'lowShelf', frequencyHz: 110, q: Math.SQRT1_2 },
  { name: 'lowMid', shape: 'peak', frequencyHz: 350, q: 1 },
  { name: 'mid', shape: 'peak', frequencyHz: 1200, q: 1 },
  { name: 'highMid', shape: 'peak', frequencyHz: 4000, q: 1 },
  { name: 'high', shape: 'highShelf', frequencyHz: 9000, q: Math.SQRT1_2 },
];

export type ParameterUnit = 'Hz' | 'dB' | 'dBFS' | 'dBTP' | 'ms' | 'ratio' | 'Q';

export interface Parameter {
  /** Index in `PARAMETERS`. */
  readonly id: number;
  readonly name: string;
  readonly unit: ParameterUnit;
  readonly min: number;
  readonly max: number;
  readonly default: number;
  /** `log`: glides, and best shown, on a logarithmic scale. */
  readonly scale: 'linear' | 'log';
}

/** The first of the three parameters of each band: frequency, gain, Q. */
export const EQ_FIRST_ID = 0;
export const EQ_PARAMETERS_PER_BAND = 3;
const AFTER_EQ = EQ_FIRST_ID + EQ_PARAMETERS_PER_BAND * EQ_BANDS.length;

/** Ids by what they do; the band's are `EQ_FIRST_ID + 3 * band + 0 | 1 | 2`. */
export const ParameterId = {
  inputGainDb: AFTER_EQ,
  compressorThresholdDb: AFTER_EQ + 1,
  compressorRatio: AFTER_EQ + 2,
  compressorKneeDb: AFTER_EQ + 3,
  compressorAttackMs: AFTER_EQ + 4,
  compressorReleaseMs: AFTER_EQ + 5,
  compressorMakeupDb: AFTER_EQ + 6,
  outputGainDb: AFTER_EQ + 7,
  limiterCeilingDb: AFTER_EQ + 8,
  limiterReleaseMs: AFTER_EQ + 9,
} as const;

type Row = readonly [
  name: string,
  unit: ParameterUnit,
  min: number,
  max: number,
  value: number,
  scale: 'linear' | 'log',
];

const ROWS: readonly Row[] = [
  ...EQ_BANDS.flatMap((band): Row[] => [
    [`eq.${band.name}.frequency`, 'Hz', 20, 20_000, band.frequencyHz, 'log'],
    [`eq.${band.name}.gain`, 'dB', -24, 24, 0, 'linear'],
    [`eq.${band.name}.q`, 'Q', 0.1, 20, band.q, 'log'],
  ]),
  ['input.gain', 'dB', -60, 24, 0, 'linear'],
  ['compressor.threshold', 'dBFS', -60, 0, -18, 'linear'],
  ['compressor.ratio', 'ratio', 1, 20, 3, 'log'],
  ['compressor.knee', 'dB', 0, 24, 6, 'linear'],
  ['compressor.attack', 'ms', 0.1, 200, 10, 'log'],
  ['compressor.release', 'ms', 5, 2000, 120, 'log'],
  ['compressor.makeup', 'dB', 0, 24, 6, 'linear'],
  // ahead of the limiter, so that the ceiling holds at any setting
  ['output.gain', 'dB', -60, 24, 0, 'linear'],
  ['limiter.ceiling', 'dBTP', -24, 0, -1, 'linear'],
  ['limiter.release', 'ms', 5, 1000, 80, 'log'],
];

/** Every parameter of the chain; `PARAMETERS[id].id === id`. */
export const PARAMETERS: readonly Parameter[] = ROWS.map(([name, unit, min, max, value, scale], id) =>
  Object.freeze({ id, name, unit, min, max, default: value, scale }),
);

/** The id of a parameter by its name, such as `eq.mid.gain`; -1 for none. */
export function parameterId(name: string): number {
  return PARAMETERS.findIndex((parameter) => parameter.name === name);
}
