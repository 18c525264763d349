import { encode } from 'fast-png';
import { FrameDeadlineError } from '../../../base/errors.js';

/**
 * Encodes a picture as PNG (W3C PNG, 8 bits a channel, RGBA), with fast-png. Allocates and takes tens of milliseconds
 * for a full picture: not for the per-frame way.
 *
 * @param rgba rows from the top, `width * height * 4` bytes, alpha not premultiplied; may lie in shared memory
 * @throws FrameDeadlineError `OPTION_INVALID` where the sizes do not agree.
 */
export function encodePng(width: number, height: number, rgba: Uint8Array): Uint8Array {
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `picture of ${width} by ${height}; expected whole pixels, at least 1`,
    );
  }
  if (rgba.length !== width * height * 4) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      `picture of ${width} by ${height} given ${rgba.length} bytes; expected ${width * height * 4}`,
    );
  }
  return encode({ width, height, data: rgba, channels: 4, depth: 8 }, { zlib: { level: 6 } });
}
