import { stripVTControlCharacters } from 'node:util';

// C0, DEL and C1 controls, line and paragraph separators, the bidirectional controls: what comes from outside must not
// move the cursor, turn the line or begin another one
const CONTROLS = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
/** Those that JSON leaves as they are. */
const CONTROLS_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text made safe to print: no escape sequences, no control characters, one line. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(CONTROLS, '');
}

/** A value as JSON that is safe to print: a terminal takes U+009B for the beginning of an escape sequence. */
export function printableJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(
    CONTROLS_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
