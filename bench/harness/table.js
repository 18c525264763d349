/** A number with three significant digits and thousands separated. */
export function figure(value) {
  if (value === null || Number.isNaN(value)) return '-';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** Rows of strings in columns; the figures, columns 1 to 3, to the right. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) =>
          column >= 1 && column <= 3 ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A row's figure and its extremes, for a document: `12.3 (11.9..14)`. */
export const spreadOf = ({ median, min, max }) => `${figure(median)} (${figure(min)}..${figure(max)})`;

/** Prints a row of a table in Markdown. */
export const printRow = (cells) => console.log(`| ${cells.join(' | ')} |`);

/** What one bench found, for people. */
export function printResult(name, describe, result, state) {
  console.log(`\n${name}: ${describe}`);
  if (result.rows.length > 0) {
    const cells = result.rows.map(({ what, unit, median, min, max, note }) => [
      what,
      `${figure(median)} ${unit}`,
      `${figure(min)}`,
      `${figure(max)}`,
      note,
    ]);
    console.log(table([['', 'median', 'min', 'max', ''], ...cells]));
  }
  for (const note of result.notes) console.log(`  ${note}`);
  const steal = state.stealPercent === null ? '' : `, steal ${figure(state.stealPercent)} %`;
  const others = state.othersPercent === null ? '' : `, other processes ${figure(state.othersPercent)} % of the CPUs`;
  console.log(`  (${figure(state.tookS)} s, load ${figure(state.load1)}${steal}${others})`);
}
