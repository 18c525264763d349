import { describeValue, FrameDeadlineError } from '../base/errors.js';

const loaded = new WeakMap<BaseAudioContext, Map<string, Promise<void>>>();

/**
 * Adds the processors' module to a context, once.
 * @throws FrameDeadlineError SHARED_MEMORY_UNAVAILABLE, OPTION_INVALID if it cannot be loaded
 */
export async function loadWorklet(context: BaseAudioContext, workletUrl: URL | string | undefined): Promise<void> {
  if (typeof SharedArrayBuffer === 'undefined') {
    throw new FrameDeadlineError(
      'SHARED_MEMORY_UNAVAILABLE',
      'SharedArrayBuffer is not available here: the page must be cross-origin isolated (headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp)',
    );
  }
  if (context?.audioWorklet === undefined) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `web audio: ${describeValue(context)} given, an AudioContext or OfflineAudioContext of a secure page (https or localhost) expected`,
    );
  }
  // in one piece: bundlers look for exactly this
  const url = (workletUrl ?? new URL('./worklet.js', import.meta.url)).toString();
  let ofContext = loaded.get(context);
  if (ofContext === undefined) {
    ofContext = new Map();
    loaded.set(context, ofContext);
  }
  let loading = ofContext.get(url);
  if (loading === undefined) {
    loading = context.audioWorklet.addModule(url);
    ofContext.set(url, loading);
  }
  try {
    await loading;
  } catch (error) {
    ofContext.delete(url);
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `web audio: the worklet module could not be loaded from ${describeValue(url)} (${(error as Error).message}); serve dist/web-audio/worklet.js of the package and give its address as workletUrl`,
      { cause: error },
    );
  }
}
