const NEWLINE = 10;
export const TOO_LONG = Symbol('line too long');

/** Cuts a stream of bytes into lines (UTF-8, ended by a line feed) of bounded length. */
export class LineSplitter {
  private readonly maxBytes: number;
  private parts: Buffer[];
  /** That came and were not given out yet. */
  bytes: number;
  private hasLine: boolean;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.parts = [];
    this.bytes = 0;
    this.hasLine = false;
  }

  add(chunk: Buffer): void {
    this.parts.push(chunk);
    this.bytes += chunk.length;
    this.hasLine ||= chunk.includes(NEWLINE);
  }

  /** The next line without its end; null if its end has not come yet. */
  next(): string | null | typeof TOO_LONG {
    if (!this.hasLine) return this.bytes > this.maxBytes ? TOO_LONG : null;
    const all = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts, this.bytes);
    const end = all.indexOf(NEWLINE);
    const rest = all.subarray(end + 1);
    this.parts = [rest];
    this.bytes = rest.length;
    this.hasLine = rest.includes(NEWLINE);
    return end > this.maxBytes ? TOO_LONG : all.toString('utf8', 0, end);
  }
}
