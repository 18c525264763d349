import { describeValue, FrameDeadlineError } from './errors.js';

/**
 * Refuses misspelt options: at set-up a typing error would otherwise go unnoticed. Allocates; not for the per-job way.
 * @throws FrameDeadlineError OPTION_INVALID for what is no object, or has another property
 */
export function checkKeys(what: string, given: unknown, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null) {
    throw new FrameDeadlineError('OPTION_INVALID', `${what} is ${describeValue(given)}, expected an object`);
  }
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `${what}: unknown option ${describeValue(key)}, expected one of ${known.join(', ')}`,
    );
  }
}

/** @throws FrameDeadlineError OPTION_INVALID for what is neither an AbortSignal nor undefined */
export function checkSignal(what: string, signal: unknown): void {
  if (signal === undefined) return;
  const like = signal as { aborted?: unknown; addEventListener?: unknown } | null;
  if (typeof like === 'object' && typeof like?.aborted === 'boolean' && typeof like.addEventListener === 'function')
    return;
  throw new FrameDeadlineError('OPTION_INVALID', `${what} is ${describeValue(signal)}, expected an AbortSignal`);
}
