import { StreamRing } from '../../../ring/stream-ring.js';
import type { RecordConsumer } from '../../../ring/stream-ring-records.js';
import type { SampleProducer } from '../../../ring/stream-ring-samples.js';
import { BlockSource } from '../audio/block-source.js';
import type { AudioChain } from '../audio/chain.js';
import { BLOCK_SAMPLE_FRAMES } from '../audio/parameters.js';
import { ChangeLogWriter } from '../stage/change-log.js';
import { CONTROL, StageControl } from '../stage/control.js';
import type { Stage } from '../stage/stage.js';

/** More in one job would hold the worker longer than a period where the buffer is deep. */
const BLOCKS_PER_JOB = 4;

/** The audio lane's state on its one worker: keeps the sink's buffer full. */
export class AudioLane {
  private readonly control: StageControl;
  private readonly chain: AudioChain;
  private readonly source: BlockSource;
  private readonly sound: SampleProducer;
  private readonly changes: RecordConsumer;
  private readonly log: ChangeLogWriter;
  private readonly history: Float32Array;
  private readonly planes: readonly Float32Array[];
  private readonly blocks: number;
  private readonly fillBlocks: number;
  private produced: number;
  private historyEnd: number;

  /** @param chain made for the sound's rate and channels, warm and reset */
  constructor(stage: Stage, chain: AudioChain) {
    this.control = new StageControl(stage.control);
    this.chain = chain;
    this.source = new BlockSource(stage.audio, { pastEnd: stage.pastEnd });
    this.sound = StreamRing.attach(stage.sound, 'f32').producer();
    this.changes = StreamRing.attach(stage.changes, 'records').consumer();
    this.log = new ChangeLogWriter(stage.changeLog, this.control);
    this.history = new Float32Array(stage.history);
    this.planes = stage.audio.data.map(() => new Float32Array(BLOCK_SAMPLE_FRAMES));
    this.blocks = stage.blocks;
    this.fillBlocks = Math.min(stage.blocks, stage.bufferBlocks);
    this.produced = 0;
    this.historyEnd = 0;
  }

  /** Tops the buffer up. Allocates nothing. */
  produce(): void {
    for (let n = 0; n < BLOCKS_PER_JOB && this.produced < this.blocks; n++) {
      if (this.sound.writableSampleFrames() < BLOCK_SAMPLE_FRAMES) break;
      this.applyChanges();
      this.source.copyBlock(this.produced, this.planes);
      this.chain.process(this.planes, this.planes);
      this.remember();
      this.sound.pushPlanar(this.planes, 0, BLOCK_SAMPLE_FRAMES);
      this.produced++;
      this.control.store(CONTROL.producedBlocks, this.produced);
      if (this.produced === this.fillBlocks) this.control.store(CONTROL.filled, 1);
      if (this.produced === this.blocks) this.sound.close();
    }
  }

  private applyChanges(): void {
    const { changes, chain, log } = this;
    for (let at = changes.beginRead(); at >= 0; at = changes.beginRead()) {
      const parameter = changes.memory.i32[at >> 2]!;
      const value = changes.memory.f64[(at >> 3) + 1]!;
      changes.commitRead();
      chain.setParameter(parameter, value);
      log.append(this.produced, parameter, value);
    }
  }

  /** Adds the block's mono mix to the history. */
  private remember(): void {
    const { history, planes } = this;
    const mask = history.length - 1;
    const gain = 1 / planes.length;
    const from = this.historyEnd;
    const first = planes[0]!;
    for (let i = 0; i < BLOCK_SAMPLE_FRAMES; i++) history[(from + i) & mask] = first[i]! * gain;
    for (let c = 1; c < planes.length; c++) {
      const plane = planes[c]!;
      for (let i = 0; i < BLOCK_SAMPLE_FRAMES; i++) {
        const at = (from + i) & mask;
        history[at] = history[at]! + plane[i]! * gain;
      }
    }
    this.historyEnd = (from + BLOCK_SAMPLE_FRAMES) | 0;
    this.control.store(CONTROL.historyEnd, this.historyEnd); // release
  }
}
