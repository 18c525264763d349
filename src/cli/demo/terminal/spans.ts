import { inspect } from 'node:util';
import stringWidth from 'string-width';

export { printable } from '../../printable.js';

/** How a span looks. Names of `util.inspect.colors`. */
export type Style = 'plain' | 'dim' | 'bold' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

/** A piece of a line in one style. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}
export type Line = readonly Span[];

export function span(text: string, style: Style = 'plain'): Span {
  return { text, style };
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** Of a grapheme that takes a cell: no letter or emoji has more, a heap of combining marks does. */
const MAX_UNITS_PER_CELL = 32;

/** Display cells that `text` takes (Unicode Standard Annex #11, ambiguous characters narrow). */
export function cells(text: string): number {
  return stringWidth(text);
}

/** `text` in at most `width` cells, and so many times 32 characters; what had to be cut ends in an ellipsis. */
export function truncate(text: string, width: number): string {
  const mostUnits = MAX_UNITS_PER_CELL * Math.max(0, width);
  if (text.length <= mostUnits && cells(text) <= width) return text;
  if (width <= 0) return '';
  let result = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const size = cells(segment);
    if (used + size > width - 1 || result.length + segment.length > mostUnits) break;
    result += segment;
    used += size;
  }
  return `${result}…`;
}

/** `text` in exactly `width` cells, cut or filled up on the right. */
export function padRight(text: string, width: number): string {
  const fitted = truncate(text, width);
  return fitted + ' '.repeat(Math.max(0, width - cells(fitted)));
}

/** `text` in exactly `width` cells, cut or filled up on the left. */
export function padLeft(text: string, width: number): string {
  const fitted = truncate(text, width);
  return ' '.repeat(Math.max(0, width - cells(fitted))) + fitted;
}

/** A line as a string of at most `columns` cells, with SGR colours (ECMA-48) or without. */
export function paint(line: Line, columns: number, colour: boolean): string {
  let result = '';
  let left = columns;
  for (const { text, style } of line) {
    const fitted = truncate(text, left);
    if (fitted === '') continue;
    left -= cells(fitted);
    const codes = colour && style !== 'plain' ? inspect.colors[style] : undefined;
    result += codes === undefined ? fitted : `\x1b[${codes[0]}m${fitted}\x1b[${codes[1]}m`;
  }
  return result;
}
