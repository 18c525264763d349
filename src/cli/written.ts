import { FrameDeadlineError } from '../base/errors.js';

/**
 * Writes to standard output. Resolves when the text has left this process, or nobody reads any more.
 * @throws FrameDeadlineError OUTPUT_UNWRITABLE for a full disk and the like
 */
export function written(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (cause) => {
      const code = (cause as NodeJS.ErrnoException | null | undefined)?.code;
      if (cause == null || code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') resolve();
      else {
        const message = `cannot write to standard output (${code ?? cause.message}); make room or send it elsewhere`;
        reject(new FrameDeadlineError('OUTPUT_UNWRITABLE', message, { cause }));
      }
    });
  });
}
