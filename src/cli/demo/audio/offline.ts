import { describeValue, FrameDeadlineError } from '../../../base/errors.js';
import { BlockSource, type BlockSourceOptions } from './block-source.js';
import { AudioChain } from './chain.js';
import type { DecodedAudio } from './decoded-audio.js';
import { BLOCK_SAMPLE_FRAMES, PARAMETERS } from './parameters.js';

/** One line of the change log: the value is set before block `block` is processed. */
export interface ParameterChange {
  readonly block: number;
  readonly parameter: number;
  readonly value: number;
}

/**
 * Renders blocks 0 to `blocks` - 1 through a new chain and hands each to `consume`: its interleaved samples, valid until
 * the next call, and its index. Bit-identical to streaming with the same changes. Changes of one block apply in the log's
 * order; changes beyond the end are ignored.
 * @throws FrameDeadlineError OPTION_INVALID for a change with a bad block, parameter or value
 */
export function renderOfflineBlocks(
  audio: DecodedAudio,
  changes: readonly ParameterChange[],
  blocks: number,
  consume: (interleaved: Float32Array, block: number) => void,
  options: BlockSourceOptions = {},
): void {
  if (!Number.isInteger(blocks) || blocks < 0)
    throw new FrameDeadlineError('OPTION_INVALID', `blocks ${describeValue(blocks)}: expected an integer from 0`);
  for (const change of changes) checkChange(change);
  // sort is stable: the order within a block stays
  const log = [...changes].sort((a, b) => a.block - b.block);
  const source = new BlockSource(audio, options);
  const chain = new AudioChain({ sampleRateHz: audio.sampleRateHz, channels: audio.channels });
  const channels = audio.channels;
  const planes: Float32Array[] = [];
  for (let c = 0; c < channels; c++) planes.push(new Float32Array(BLOCK_SAMPLE_FRAMES));
  const interleaved = new Float32Array(BLOCK_SAMPLE_FRAMES * channels);
  let next = 0;
  for (let block = 0; block < blocks; block++) {
    for (; next < log.length && log[next]!.block === block; next++)
      chain.setParameter(log[next]!.parameter, log[next]!.value);
    chain.process(source.block(block), planes);
    for (let c = 0; c < channels; c++) {
      const plane = planes[c]!;
      for (let i = 0; i < BLOCK_SAMPLE_FRAMES; i++) interleaved[i * channels + c] = plane[i]!;
    }
    consume(interleaved, block);
  }
}

/** As `renderOfflineBlocks`, all in one array of blocks * 128 * channels samples, interleaved. */
export function renderOffline(
  audio: DecodedAudio,
  changes: readonly ParameterChange[],
  blocks: number,
  options: BlockSourceOptions = {},
): Float32Array {
  const blockSamples = BLOCK_SAMPLE_FRAMES * audio.channels;
  const rendered = new Float32Array(Math.max(0, Math.trunc(blocks) || 0) * blockSamples);
  renderOfflineBlocks(audio, changes, blocks, (samples, block) => rendered.set(samples, block * blockSamples), options);
  return rendered;
}

function checkChange(change: ParameterChange): void {
  const { block, parameter, value } = change;
  if (Number.isInteger(block) && block >= 0 && PARAMETERS[parameter] && Number.isFinite(value)) return;
  throw new FrameDeadlineError(
    'OPTION_INVALID',
    `change of parameter ${describeValue(parameter)} to ${describeValue(value)} at block ${describeValue(block)}: ` +
      `expected a parameter from 0 to ${PARAMETERS.length - 1}, a finite value and a block from 0`,
  );
}
