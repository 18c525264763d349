/** Of text that goes to a file or pipe. */
const DEFAULT_COLUMNS = 100;
/** Of a terminal that does not tell. */
const TERMINAL_COLUMNS = 80;

/** How wide text for `stream` may be, in cells but at least `leastColumns`, and whether it may have colours. */
export function textFormat(stream: NodeJS.WriteStream, leastColumns = 1): { columns: number; colour: boolean } {
  const isTerminal = stream.isTTY === true;
  const columns = isTerminal ? stream.columns || TERMINAL_COLUMNS : DEFAULT_COLUMNS;
  return { columns: Math.max(leastColumns, columns), colour: isTerminal && (stream.hasColors?.() ?? false) };
}
