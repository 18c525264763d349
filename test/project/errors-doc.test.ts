import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

/** What the pattern's group finds in the text, in its order. */
const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found]) => found!);

it('docs/errors.md has one row for each error code, in the order of the code', () => {
  const [, type = ''] = /export type ErrorCode =\n(.*?);/s.exec(read('src/base/errors.ts'))!;
  const codes = all(type, /^ {2}\| '(\w+)'$/gm);
  // nothing of the type was overlooked
  expect(codes).toHaveLength(type.split("'").length >> 1);
  expect(codes.length).toBeGreaterThan(30);
  const rows = read('docs/errors.md')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2);
  expect(rows.map((row) => /^\| `(\w+)` \| \S.* \| \S.* \|$/.exec(row)?.[1] ?? row)).toEqual(codes);
});

it.each(['README.md', 'docs/options.md'])('%s links to it', (path) => {
  const link = path === 'README.md' ? '(docs/errors.md)' : '(errors.md)';
  expect(read(path)).toContain(link);
});
