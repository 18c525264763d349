/** What the generated piece plays. Pitches are MIDI note numbers, times are beats from the start of the bar. */
export type Note = readonly [beat: number, pitch: number, lengthBeats: number];

export interface Bar {
  readonly chord: readonly number[];
  readonly bass: readonly Note[];
  readonly melody: readonly Note[];
  readonly answer: readonly Note[];
}

export const BEATS_PER_MINUTE = 104;
export const BEATS_PER_BAR = 4;

/** A minor, four bars round: Am9, Fmaj7, Cmaj9, G6. `answer` is the melody of every second round. */
export const BARS: readonly Bar[] = [
  {
    chord: [57, 60, 64, 67, 71],
    bass: [
      [0, 33, 1.4],
      [1.5, 33, 0.4],
      [2, 40, 0.9],
      [3, 45, 0.9],
    ],
    melody: [
      [0, 76, 0.75],
      [0.75, 79, 0.25],
      [1, 81, 1.25],
      [2.5, 79, 0.5],
      [3, 76, 1],
    ],
    answer: [
      [0, 81, 0.5],
      [0.5, 83, 0.5],
      [1, 84, 1],
      [2, 83, 0.5],
      [2.5, 79, 0.5],
      [3, 76, 1],
    ],
  },
  {
    chord: [53, 57, 60, 64, 69],
    bass: [
      [0, 29, 1.4],
      [1.5, 29, 0.4],
      [2, 36, 0.9],
      [3, 33, 0.9],
    ],
    melody: [
      [0, 72, 1],
      [1, 74, 0.5],
      [1.5, 76, 1],
      [2.5, 74, 0.5],
      [3, 72, 1],
    ],
    answer: [
      [0, 81, 1.5],
      [1.5, 79, 0.5],
      [2, 77, 0.75],
      [2.75, 76, 0.25],
      [3, 72, 1],
    ],
  },
  {
    chord: [55, 60, 64, 67, 71],
    bass: [
      [0, 36, 1.4],
      [1.5, 36, 0.4],
      [2, 43, 0.9],
      [3, 40, 0.9],
    ],
    melody: [
      [0, 79, 0.75],
      [0.75, 76, 0.25],
      [1, 79, 1],
      [2, 84, 1],
      [3, 83, 0.5],
      [3.5, 79, 0.5],
    ],
    answer: [
      [0, 76, 0.5],
      [0.5, 79, 0.5],
      [1, 84, 1.5],
      [2.5, 86, 0.5],
      [3, 84, 0.5],
      [3.5, 83, 0.5],
    ],
  },
  {
    chord: [55, 59, 62, 64, 69],
    bass: [
      [0, 31, 1.4],
      [1.5, 31, 0.4],
      [2, 38, 0.9],
      [3, 43, 0.4],
      [3.5, 35, 0.4],
    ],
    melody: [
      [0, 74, 1.5],
      [1.5, 76, 0.5],
      [2, 79, 1.5],
      [3.5, 74, 0.5],
    ],
    answer: [
      [0, 83, 1],
      [1, 79, 0.5],
      [1.5, 74, 1],
      [2.5, 76, 0.5],
      [3, 79, 1],
    ],
  },
];

/** What sounds in a bar, and how loud: the piece grows over its first three bars and thins out in each fourth round. */
export interface Layers {
  readonly melody: number;
  readonly bass: number;
  readonly kick: number;
  readonly snare: number;
  readonly hat: number;
}

const OPENING: readonly Layers[] = [
  { melody: 0.55, bass: 0, kick: 0, snare: 0, hat: 0.25 },
  { melody: 0.7, bass: 0.8, kick: 0.7, snare: 0, hat: 0.5 },
];
const FULL: Layers = { melody: 1, bass: 1, kick: 1, snare: 1, hat: 0.8 };
const SPARSE: Layers = { melody: 0.8, bass: 0.6, kick: 0, snare: 0, hat: 0.3 };

export function layersOf(bar: number): Layers {
  const round = Math.floor(bar / BARS.length);
  return OPENING[bar] ?? (round % 4 === 3 && bar % BARS.length < 3 ? SPARSE : FULL);
}
