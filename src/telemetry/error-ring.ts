/**
 * The last error texts of one thread, in shared memory: a handler's error reaches the submitting side although its
 * worker never returns to an event loop. Single writer; a reader sees by the number whether a text was overwritten.
 *
 *   base + 0                      number of texts ever written
 *   base + 32 + entry * STRIDE    number of the text here (0 while it is written), its length in UTF-16 units, the units
 */
const ENTRIES = 16;
/** UTF-16 units of one text; longer ones are cut. */
export const ERROR_TEXT_UNITS = 4096;
const STRIDE = 32 + ERROR_TEXT_UNITS / 2;
export const ERROR_RING_WORDS = 32 + ENTRIES * STRIDE;

/** What crosses the thread boundary of an error: plain data. */
export interface ErrorText {
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  /** The error's own `code`, where it had one that is a string. */
  readonly code: string | null;
}

/** Describes whatever was thrown. Never throws. */
export function errorTextOf(thrown: unknown): ErrorText {
  try {
    if (thrown instanceof Error) {
      const code = (thrown as { code?: unknown }).code;
      return {
        name: String(thrown.name),
        message: String(thrown.message),
        stack: typeof thrown.stack === 'string' ? thrown.stack : null,
        code: typeof code === 'string' ? code : null,
      };
    }
    return { name: 'NonError', message: String(thrown), stack: null, code: null };
  } catch {
    return { name: 'NonError', message: 'a value that cannot be described', stack: null, code: null };
  }
}

/** Writes an error and returns its number (never 0). Allocates: the way of a job that failed. The ring's one writer. */
export function writeError(words: Int32Array, base: number, error: ErrorText): number {
  const stackUnits = ERROR_TEXT_UNITS - 600;
  const text = JSON.stringify({
    name: error.name.slice(0, 80),
    message: error.message.slice(0, 400),
    stack: error.stack,
    code: error.code?.slice(0, 80) ?? null,
  });
  const fits =
    text.length <= ERROR_TEXT_UNITS
      ? text
      : JSON.stringify({
          name: error.name.slice(0, 40),
          message: error.message.slice(0, 200),
          stack: error.stack?.slice(0, stackUnits / 2) ?? null,
          code: null,
        }).slice(0, ERROR_TEXT_UNITS);
  const number = ((Atomics.load(words, base) >>> 0) % 0x7fffffff) + 1;
  const at = base + 32 + (number % ENTRIES) * STRIDE;
  Atomics.store(words, at, 0);
  words[at + 1] = fits.length;
  for (let unit = 0; unit < fits.length; unit += 2) {
    const high = unit + 1 < fits.length ? fits.charCodeAt(unit + 1) : 0;
    words[at + 2 + (unit >>> 1)] = fits.charCodeAt(unit) | (high << 16);
  }
  Atomics.store(words, at, number); // release
  Atomics.store(words, base, number);
  return number;
}

/** Reads the error of that number, or null if it was overwritten, or there is none such. Allocates. Any thread. */
export function readError(words: Int32Array, base: number, number: number): ErrorText | null {
  if (number <= 0 || base < 0 || base + ERROR_RING_WORDS > words.length) return null;
  const at = base + 32 + (number % ENTRIES) * STRIDE;
  if (Atomics.load(words, at) !== number) return null; // acquire
  const length = Math.min(Math.max(words[at + 1]!, 0), ERROR_TEXT_UNITS);
  let text = '';
  for (let unit = 0; unit < length; unit++) {
    const pair = words[at + 2 + (unit >>> 1)]!;
    text += String.fromCharCode((unit & 1) === 0 ? pair & 0xffff : pair >>> 16);
  }
  if (Atomics.load(words, at) !== number) return null;
  try {
    const { name, message, stack, code } = JSON.parse(text) as ErrorText;
    const isWhole = typeof name === 'string' && typeof message === 'string' && isText(stack) && isText(code);
    return isWhole ? { name, message, stack, code } : null;
  } catch {
    return { name: 'Error', message: 'the error text was too long to be kept whole', stack: null, code: null };
  }
}

function isText(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}
