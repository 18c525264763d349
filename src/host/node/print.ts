import { writeSync } from 'node:fs';

const WAIT_MS = 2;
const GIVE_UP_AFTER = 25;

/**
 * Makes this worker thread's console and standard streams write straight to the descriptors: Node's own way leads over
 * the main thread's event loop, so nothing would be seen while that is busy. A full pipe is waited for a little, then
 * the text is dropped: printing must not hold a worker for ever. Blocks while it writes.
 */
export function printDirectly(): void {
  redirect(process.stdout, 1);
  redirect(process.stderr, 2);
}

function redirect(stream: NodeJS.WriteStream, descriptor: number): void {
  const write = (chunk: Uint8Array | string, encoding?: unknown, callback?: unknown): boolean => {
    const bytes =
      typeof chunk === 'string'
        ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
        : chunk;
    writeAll(descriptor, bytes);
    const done = typeof encoding === 'function' ? encoding : callback;
    if (typeof done === 'function') done();
    return true;
  };
  stream.write = write as typeof stream.write;
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  let written = 0;
  let waits = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(descriptor, bytes, written);
      waits = 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || waits++ >= GIVE_UP_AFTER) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    }
  }
}
