import { FrameDeadlineError } from '../base/errors.js';

/** `EOF`: a pipe of Windows. */
const NOBODY_READS: readonly unknown[] = ['EPIPE', 'EOF', 'ERR_STREAM_DESTROYED'];

/**
 * Writes to standard output. Resolves when the text has left this process (true), or when nobody reads any more, as after
 * `| head` (false).
 * @throws FrameDeadlineError OUTPUT_UNWRITABLE for a full disk and the like
 */
export function written(text: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (cause) => {
      const code = (cause as NodeJS.ErrnoException | null | undefined)?.code;
      if (cause == null) resolve(true);
      else if (NOBODY_READS.includes(code)) resolve(false);
      else {
        const message = `cannot write to standard output (${code ?? cause.message}); make room or send it elsewhere`;
        reject(new FrameDeadlineError('OUTPUT_UNWRITABLE', message, { cause }));
      }
    });
  });
}
