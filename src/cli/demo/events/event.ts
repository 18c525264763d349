import { describeValue } from '../../../base/errors.js';

/** The pointer moved, or a button changed. */
export interface PointerDemoEvent {
  /** Whole microseconds since the recording's start, 0 to 2^53 - 1. */
  readonly timeUs: number;
  readonly type: 'pointer';
  /** Left to right, 0 to 1. */
  readonly x: number;
  /** Top to bottom, 0 to 1. */
  readonly y: number;
  /** Bit mask of the buttons held, as in `MouseEvent.buttons` (W3C UI Events): 1 primary, 2 secondary, 4 auxiliary. */
  readonly buttons: number;
}

/** A key went down or up. */
export interface KeyDemoEvent {
  readonly timeUs: number;
  readonly type: 'key';
  /** As `KeyboardEvent.key` (W3C UI Events): 1 to `MAX_KEY_UNITS` UTF-16 code units. */
  readonly key: string;
  readonly down: boolean;
}

export type DemoEvent = PointerDemoEvent | KeyDemoEvent;

/** Longest key name, in UTF-16 code units: what fits in an event record. `BrowserFavorites` is the longest usual one. */
export const MAX_KEY_UNITS = 16;
export const MAX_BUTTONS = 0xffff;

const POINTER_FIELDS = ['timeUs', 'type', 'x', 'y', 'buttons'];
const KEY_FIELDS = ['timeUs', 'type', 'key', 'down'];

/**
 * Says what is wrong with `value` as an event that follows one at `previousTimeUs`, or null when nothing is. What comes
 * back names the field, what it held and what was expected. Never throws.
 */
export function explainEvent(value: unknown, previousTimeUs: number): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `${describeValue(value)} where an object like {"timeUs":0,"type":"pointer","x":0.5,"y":0.5,"buttons":0} was expected`;
  }
  const event = value as Record<string, unknown>;
  const type = event['type'];
  if (type !== 'pointer' && type !== 'key') return wrong(event, 'type', '"pointer" or "key"');
  const timeUs = event['timeUs'];
  if (typeof timeUs !== 'number' || !Number.isSafeInteger(timeUs) || timeUs < 0) {
    return wrong(event, 'timeUs', 'a whole number of microseconds, 0 or more');
  }
  if (timeUs < previousTimeUs) {
    return `timeUs is ${timeUs}, earlier than the event before it (${previousTimeUs}): times must not go backwards`;
  }
  if (type === 'pointer') {
    if (!isUnit(event['x'])) return wrong(event, 'x', 'a number from 0 to 1');
    if (!isUnit(event['y'])) return wrong(event, 'y', 'a number from 0 to 1');
    const buttons = event['buttons'];
    if (typeof buttons !== 'number' || !Number.isInteger(buttons) || buttons < 0 || buttons > MAX_BUTTONS) {
      return wrong(event, 'buttons', `a bit mask from 0 to ${MAX_BUTTONS}`);
    }
  } else {
    const key = event['key'];
    if (typeof key !== 'string' || key.length < 1 || key.length > MAX_KEY_UNITS) {
      return wrong(event, 'key', `a string of 1 to ${MAX_KEY_UNITS} characters`);
    }
    if (typeof event['down'] !== 'boolean') return wrong(event, 'down', 'true or false');
  }
  const fields = type === 'pointer' ? POINTER_FIELDS : KEY_FIELDS;
  for (const name of Object.keys(event)) {
    if (!fields.includes(name)) {
      return `field ${describeValue(name)} is not one of a ${type} event's (${fields.join(', ')})`;
    }
  }
  return null;
}

function isUnit(value: unknown): boolean {
  // NaN fails both comparisons
  return typeof value === 'number' && value >= 0 && value <= 1;
}

function wrong(event: Record<string, unknown>, field: string, expected: string): string {
  if (!Object.hasOwn(event, field)) return `${field} is missing: expected ${expected}`;
  return `${field} is ${describeValue(event[field])}: expected ${expected}`;
}
