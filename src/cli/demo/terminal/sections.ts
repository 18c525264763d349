import { cells, type Line } from './spans.js';

/** A block of lines and how dearly it is held: when rows are short the least important goes first. */
export interface Section {
  readonly importance: number;
  readonly lines: readonly Line[];
}

/** Puts texts on as few lines of `columns` cells as hold them in order. */
export function wrap(texts: readonly string[], separator: string, columns: number, indent: number): string[] {
  const lines: string[] = [];
  const margin = ' '.repeat(indent);
  for (const text of texts) {
    const last = lines[lines.length - 1];
    const joined = `${last}${separator}${text}`;
    if (last !== undefined && cells(joined) <= columns) lines[lines.length - 1] = joined;
    else lines.push(margin + text);
  }
  return lines;
}

/** The lines of as many sections as there are rows for: the least important go first. */
export function dropToFit(sections: readonly Section[], rows: number): Line[] {
  const kept = [...sections];
  let count = kept.reduce((sum, section) => sum + section.lines.length, 0);
  while (count > rows && kept.length > 1) {
    let least = kept.length - 1;
    for (let i = kept.length - 1; i >= 0; i--) if (kept[i]!.importance < kept[least]!.importance) least = i;
    count -= kept[least]!.lines.length;
    kept.splice(least, 1);
  }
  return kept.flatMap((section) => section.lines).slice(0, rows);
}
