import { AudioClock, StreamRing, task } from 'frame-deadline';
import { BlockSource } from '../../../dist/cli/demo/audio/block-source.js';
import { AudioChain } from '../../../dist/cli/demo/audio/chain.js';
import { BLOCK_SAMPLE_FRAMES, CHANNELS, HISTORY_END, SAMPLE_RATE_HZ, SOUND, STALL_MS, stageOf } from './stage.js';

const WARM_UP_BLOCKS = 800;
/** More in one job would hold the worker for longer than a period. */
const BLOCKS_PER_JOB = 8;
/** Without a device, what is further behind than this is left out. */
const MOST_BEHIND_MS = 50;

// made and warm before the first period
const chain = new AudioChain({ sampleRateHz: SAMPLE_RATE_HZ, channels: CHANNELS });
chain.warmUp(WARM_UP_BLOCKS);

/** The audio lane's state on its one worker. */
class AudioLane {
  /** @param {import('./stage.js').Stage} stage */
  constructor(stage) {
    const { music } = stage;
    this.words = new Int32Array(stage.words);
    this.clock = AudioClock.attach(stage.clock);
    // a worker that replaces a dead one goes on where that one stopped
    this.sound = StreamRing.attach(stage.sound, 'f32').producer({ takeOver: true });
    this.changes = StreamRing.attach(stage.changes, 'records').consumer({ takeOver: true });
    this.history = new Float32Array(stage.history);
    this.historyEnd = Atomics.load(this.words, HISTORY_END);
    const sampleFrames = music[0]?.length ?? 0;
    this.source = new BlockSource(
      {
        sampleRateHz: SAMPLE_RATE_HZ,
        channels: CHANNELS,
        sampleFrames,
        data: music,
        format: 'float32',
        warnings: [],
      },
      { pastEnd: 'loop' },
    );
    this.planes = music.map(() => new Float32Array(BLOCK_SAMPLE_FRAMES));
    this.block = Math.floor((this.historyEnd >>> 0) / BLOCK_SAMPLE_FRAMES);
    this.freeSinceMs = -1;
    this.freeBlocks = 0;
  }

  /** Renders what is due: for a device what it has made room for, without one what the time asks for. Allocates nothing. */
  produce() {
    const isHeard = Atomics.load(this.words, SOUND) === 1;
    if (isHeard) this.freeSinceMs = -1;
    const due = isHeard ? this.clock.blocksDue(this.sound, BLOCK_SAMPLE_FRAMES) : this.blocksByTime();
    for (let n = Math.min(due, BLOCKS_PER_JOB); n > 0; n--) {
      this.applyChanges();
      this.source.copyBlock(this.block++, this.planes);
      chain.process(this.planes, this.planes);
      this.remember();
      if (isHeard) this.sound.pushPlanar(this.planes, 0, BLOCK_SAMPLE_FRAMES);
      else this.freeBlocks++;
    }
  }

  blocksByTime() {
    const nowMs = performance.now();
    const blocksPerMs = SAMPLE_RATE_HZ / BLOCK_SAMPLE_FRAMES / 1000;
    const due = this.freeSinceMs < 0 ? 0 : Math.floor((nowMs - this.freeSinceMs) * blocksPerMs) - this.freeBlocks;
    if (this.freeSinceMs >= 0 && due < MOST_BEHIND_MS * blocksPerMs) return due;
    this.freeSinceMs = nowMs;
    this.freeBlocks = 0;
    return 1;
  }

  applyChanges() {
    const { changes } = this;
    const { i32, f64 } = changes.memory;
    for (let at = changes.beginRead(); at >= 0; at = changes.beginRead()) {
      const parameter = i32[at >> 2] ?? 0;
      const value = f64[(at >> 3) + 1] ?? 0;
      changes.commitRead();
      chain.setParameter(parameter, value);
    }
  }

  /** Adds the block's mono mix to the history. */
  remember() {
    const { history, planes, historyEnd } = this;
    const mask = history.length - 1;
    const [left, right] = planes;
    if (left === undefined || right === undefined) return;
    for (let i = 0; i < BLOCK_SAMPLE_FRAMES; i++) {
      history[(historyEnd + i) & mask] = ((left[i] ?? 0) + (right[i] ?? 0)) / 2;
    }
    this.historyEnd = (historyEnd + BLOCK_SAMPLE_FRAMES) | 0;
    Atomics.store(this.words, HISTORY_END, this.historyEnd); // release
  }
}

/** @type {AudioLane | null} */
let lane = null;

/** Periodic: keeps the ring as deep as its clock says. */
export const block = task({
  input: {},
  budgetUs: 2000,
  run(_input, _output, context) {
    lane ??= new AudioLane(stageOf(context.shared));
    const stallMs = Atomics.exchange(lane.words, STALL_MS, 0);
    if (stallMs > 0) for (const end = performance.now() + stallMs; performance.now() < end; );
    lane.produce();
  },
});
