import { BLOCK_SAMPLE_FRAMES } from '../audio/parameters.js';
import { EVENT_KIND, EVENT_RECORD_WORDS, EVENT_WORD, recordIsDown, recordKey } from '../events/record.js';
import { renderTile } from '../picture/raster.js';
import { SceneView } from '../picture/scene.js';
import { SceneWriter } from '../picture/scene-writer.js';
import { SpectrumAnalyser } from '../picture/spectrum.js';
import { CONTROL, StageControl } from '../stage/control.js';
import { FFT_SIZE, PICTURE_HEIGHT, PICTURE_WIDTH, type Stage } from '../stage/stage.js';

const STRIDE_BYTES = PICTURE_WIDTH * 4;

/**
 * The render lane's state on one of its workers. All that lasts from frame to frame is in shared memory, so that any
 * worker can make the next scene: one does at a time, since only one frame is in flight.
 */
export class RenderLane {
  private readonly control: StageControl;
  private readonly writer: SceneWriter;
  private readonly analyser: SpectrumAnalyser;
  private readonly history: Float32Array;
  private readonly scenes: readonly SceneView[];
  private readonly pixels: readonly Uint8Array[];
  private readonly records: Int32Array;
  private readonly recordFloats: Float32Array;

  constructor(stage: Stage) {
    const [lasting, ...scenes] = stage.scenes.map((buffer) => new SceneView(buffer));
    this.control = new StageControl(stage.control);
    this.writer = new SceneWriter(lasting!);
    this.analyser = new SpectrumAnalyser({
      sampleRateHz: stage.audio.sampleRateHz,
      barCount: lasting!.barCount,
      fftSize: FFT_SIZE,
      state: new Float32Array(stage.spectrum),
    });
    this.history = new Float32Array(stage.history);
    this.scenes = scenes;
    this.pixels = stage.pixels.map((buffer) => new Uint8Array(buffer));
    this.records = new Int32Array(stage.events.records);
    this.recordFloats = new Float32Array(stage.events.records);
  }

  /** Brings the scene up to date for picture buffer `buffer`. `sceneEvents` tells how many events it shows. */
  makeScene(buffer: number, elapsedS: number, frameNumber: number): void {
    const { control, writer, history } = this;
    this.takeEvents();
    // what is heard now, not what was produced ahead
    const heard = control.load(CONTROL.playedBlocks) - control.load(CONTROL.xruns);
    const end = (heard * BLOCK_SAMPLE_FRAMES) & (history.length - 1);
    this.analyser.analyse(history, end, elapsedS);
    writer.sound(this.analyser, history, end);
    writer.advance(elapsedS, frameNumber);
    this.scenes[buffer]!.copyFrom(writer.scene);
  }

  /** Draws one tile of picture buffer `buffer`. */
  drawTile(buffer: number, x: number, y: number, width: number, height: number): void {
    const offset = y * STRIDE_BYTES + x * 4;
    const pixels = this.pixels[buffer]!;
    const scene = this.scenes[buffer]!;
    renderTile(pixels, STRIDE_BYTES, x, y, width, height, PICTURE_WIDTH, PICTURE_HEIGHT, scene, offset);
  }

  private takeEvents(): void {
    const { control, writer, records, recordFloats } = this;
    const released = control.load(CONTROL.releasedEvents); // acquire
    for (let event = control.load(CONTROL.sceneEvents); event < released; event++) {
      const base = event * EVENT_RECORD_WORDS;
      if (records[base + EVENT_WORD.kind] === EVENT_KIND.pointer) {
        const buttons = records[base + EVENT_WORD.state]!;
        writer.pointer(recordFloats[base + EVENT_WORD.x]!, recordFloats[base + EVENT_WORD.y]!, buttons);
      } else if (recordIsDown(records, base)) {
        writer.key(recordKey(records, base));
      }
    }
    control.store(CONTROL.sceneEvents, released);
  }
}
