import { cells } from '../../demo/terminal/spans.js';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Breaks `text` between words into lines of at most `columns` cells. A longer word goes on in the next line. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || cells(longer) <= columns) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== '') lines.push(line);
  return lines.flatMap((long) => (cells(long) <= columns ? [long] : splitWord(long, columns)));
}

/** A path or command cut off would be of no use. */
function splitWord(word: string, columns: number): string[] {
  const parts: string[] = [];
  let part = '';
  for (const { segment } of graphemes.segment(word)) {
    if (part !== '' && cells(part + segment) > columns) {
      parts.push(part);
      part = '';
    }
    part += segment;
  }
  return [...parts, part];
}
