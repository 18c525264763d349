import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describeValue, FrameDeadlineError } from '../../../base/errors.js';
import type { DemoEvent } from './event.js';

const MAX_RATE_HZ = 1000;
const MAX_EVENTS = 20_000_000;
/** Home-row keys and their neighbours: all of them mean something to the demo. */
const KEYS = ['a', 's', 'd', 'f', 'g', 'h', 'j', 'k', 'l'];

const STROKE_MIN_US = 900_000;
const STROKE_SPAN_US = 1_500_000;
const HOVER_MIN_US = 250_000;
const HOVER_SPAN_US = 450_000;
const BEAT_US = 500_000;

/**
 * A gesture for when no event file is given: the pointer follows a slow Lissajous figure whose shape drifts, drawing
 * strokes (button 1 held, moving with ease-in and ease-out) with hovering moves between, and keys are struck on about
 * two beats in three. The same arguments give the same events.
 *
 * @param durationUs how long, in microseconds, 0 or more; 0 gives no events
 * @param rateHz pointer events a second, above 0 to 1000
 * @param seed a 32-bit integer
 * @returns events with times from 0 to below `durationUs`, in order
 * @throws FrameDeadlineError `OPTION_INVALID`
 */
export function generateGesture(durationUs: number, rateHz = 1000, seed = 1): DemoEvent[] {
  if (!(durationUs >= 0) || !(rateHz > 0 && rateHz <= MAX_RATE_HZ) || !Number.isInteger(seed)) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `gesture of ${describeValue(durationUs)} µs at ${describeValue(rateHz)} Hz, seed ${describeValue(seed)}; expected a ` +
        `duration of 0 or more, a rate above 0 to ${MAX_RATE_HZ} Hz and an integer seed`,
    );
  }
  const count = Math.ceil((durationUs * rateHz) / 1e6);
  if (!(count <= MAX_EVENTS)) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `gesture of ${count} pointer events; expected at most ${MAX_EVENTS}: shorten it or lower its rate`,
    );
  }
  const random = xoroshiro128plus(seed | 0);
  const phaseX = uniformFloat64(random) * 2 * Math.PI;
  const phaseY = uniformFloat64(random) * 2 * Math.PI;

  const keys = generateKeys(durationUs, (max) => uniformInt(random, 0, max));
  const events: DemoEvent[] = [];
  let nextKey = 0;
  let drawing = false;
  let segmentStartUs = 0;
  let segmentEndUs = 0;
  let pathS = 0; // how far along the figure, in seconds at ordinary speed
  let segmentPathS = 0;
  for (let index = 0; index < count; index++) {
    const timeUs = Math.round((index * 1e6) / rateHz);
    if (timeUs >= durationUs) break;
    while (timeUs >= segmentEndUs) {
      pathS += segmentPathS;
      drawing = segmentEndUs === 0 ? false : !drawing;
      segmentStartUs = segmentEndUs;
      const us = drawing
        ? STROKE_MIN_US + uniformFloat64(random) * STROKE_SPAN_US
        : HOVER_MIN_US + uniformFloat64(random) * HOVER_SPAN_US;
      segmentEndUs = segmentStartUs + us;
      // hovering is quicker than drawing
      segmentPathS = (us / 1e6) * (drawing ? 1 : 1.5);
    }
    const progress = (timeUs - segmentStartUs) / (segmentEndUs - segmentStartUs);
    const s = pathS + segmentPathS * ease(progress);
    while (nextKey < keys.length && keys[nextKey]!.timeUs <= timeUs) events.push(keys[nextKey++]!);
    events.push({
      timeUs,
      type: 'pointer',
      x: clampUnit(0.5 + 0.36 * Math.sin(2 * Math.PI * 0.31 * s + phaseX) + 0.08 * Math.sin(2 * Math.PI * 1.13 * s)),
      y: clampUnit(0.46 + 0.28 * Math.sin(2 * Math.PI * 0.43 * s + phaseY) + 0.09 * Math.cos(2 * Math.PI * 0.97 * s)),
      buttons: drawing ? 1 : 0,
    });
  }
  while (nextKey < keys.length) events.push(keys[nextKey++]!);
  return events;
}

function generateKeys(durationUs: number, randomUpTo: (max: number) => number): DemoEvent[] {
  const keys: DemoEvent[] = [];
  for (let beatUs = BEAT_US; beatUs < durationUs; beatUs += BEAT_US) {
    if (randomUpTo(2) === 0) continue;
    const key = KEYS[randomUpTo(KEYS.length - 1)]!;
    const downUs = beatUs + randomUpTo(20_000);
    const upUs = downUs + 80_000 + randomUpTo(120_000);
    // a key that would not be let go in time is not struck
    if (upUs >= durationUs) continue;
    keys.push({ timeUs: downUs, type: 'key', key, down: true }, { timeUs: upUs, type: 'key', key, down: false });
  }
  return keys;
}

/** Smoothstep, mixed with the line so that the pointer never quite stops. */
function ease(t: number): number {
  return 0.25 * t + 0.75 * t * t * (3 - 2 * t);
}

/** In [0, 1], rounded to 5 digits: what a file holds is then what was generated. */
function clampUnit(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 1e5) / 1e5;
}
