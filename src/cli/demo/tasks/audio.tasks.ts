import { task } from '../../../worker/task.js';
import { AudioChain } from '../audio/chain.js';
import type { Stage } from '../stage/stage.js';
import { AudioLane } from './audio-lane.js';

const WARM_UP_CHANNEL_BLOCKS = 2000;

// The sound's shape comes with the module's URL: the chain is made and warm before the first period.
const shape = new URL(import.meta.url).searchParams;
const channels = Number(shape.get('channels') ?? 2);
const chain = new AudioChain({ sampleRateHz: Number(shape.get('sampleRateHz') ?? 48_000), channels });
chain.warmUp(Math.max(20, Math.ceil(WARM_UP_CHANNEL_BLOCKS / channels)));
let lane: AudioLane | null = null;

/** Periodic, once a block: keeps the sink's buffer full. */
export const block = task({
  input: {},
  run(_input, _output, context) {
    lane ??= new AudioLane(context.shared['stage'] as Stage, chain);
    lane.produce();
  },
});
