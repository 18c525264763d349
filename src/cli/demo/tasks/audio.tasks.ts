import { task } from '../../../worker/task.js';
import { AudioChain } from '../audio/chain.js';
import { BLOCK_SAMPLE_FRAMES } from '../audio/parameters.js';
import type { Stage } from '../stage/stage.js';
import { AudioLane } from './audio-lane.js';

const WARM_UP_CHANNEL_BLOCKS = 2000;
/** Of a period. A block takes a tenth on a slow machine; the rest is for catching up. Real-time wants it declared. */
const BUDGET_SHARE = 0.35;

// The sound's shape comes with the module's URL: the chain is made and warm before the first period.
const shape = new URL(import.meta.url).searchParams;
const channels = Number(shape.get('channels') ?? 2);
const sampleRateHz = Number(shape.get('sampleRateHz') ?? 48_000);
const chain = new AudioChain({ sampleRateHz, channels });
chain.warmUp(Math.max(20, Math.ceil(WARM_UP_CHANNEL_BLOCKS / channels)));
let lane: AudioLane | null = null;

/** Periodic, once a block: keeps the sink's buffer full. */
export const block = task({
  input: {},
  budgetUs: BUDGET_SHARE * (BLOCK_SAMPLE_FRAMES / sampleRateHz) * 1e6,
  run(_input, _output, context) {
    lane ??= new AudioLane(context.shared['stage'] as Stage, chain);
    lane.produce();
  },
});
