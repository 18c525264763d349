import { f32, StreamRing, task, u32 } from 'frame-deadline';
import {
  EVENT_KIND,
  EVENT_RECORD_WORDS,
  EVENT_WORD,
  recordIsDown,
  recordKey,
  recordTimeUs,
} from '../../../dist/cli/demo/events/record.js';
import { renderTile } from '../../../dist/cli/demo/picture/raster.js';
import { SceneView, sceneBytes } from '../../../dist/cli/demo/picture/scene.js';
import { SceneWriter } from '../../../dist/cli/demo/picture/scene-writer.js';
import { SpectrumAnalyser } from '../../../dist/cli/demo/picture/spectrum.js';
import {
  EVENT_LOG_RECORDS,
  FFT_SIZE,
  HISTORY_END,
  PICTURE_HEIGHT,
  PICTURE_WIDTH,
  RELEASED_EVENTS,
  SAMPLE_RATE_HZ,
  SCENE_EVENTS,
  SCENE_SIZE,
  SOUND,
  stageOf,
  TILE_PIXELS,
} from './stage.js';

const STRIDE_BYTES = PICTURE_WIDTH * 4;

/**
 * The render lane's state on one of its workers. All that lasts from frame to frame is in shared memory, so that any
 * worker can make the next scene: one does at a time, since only one frame is in flight.
 */
class RenderLane {
  /** @param {import('./stage.js').Stage} stage */
  constructor(stage) {
    const [lasting, ...scenes] = stage.scenes.map((buffer) => new SceneView(buffer));
    if (lasting === undefined) throw new RangeError('a stage without scenes');
    this.words = new Int32Array(stage.words);
    this.sound = StreamRing.attach(stage.sound, 'f32');
    this.writer = new SceneWriter(lasting);
    this.analyser = new SpectrumAnalyser({
      sampleRateHz: SAMPLE_RATE_HZ,
      barCount: SCENE_SIZE.barCount,
      fftSize: FFT_SIZE,
      state: new Float32Array(stage.spectrum),
    });
    this.history = new Float32Array(stage.history);
    this.scenes = scenes;
    this.pixels = stage.pixels.map((buffer) => new Uint8Array(buffer));
    this.records = new Int32Array(stage.eventLog);
    this.recordFloats = new Float32Array(stage.eventLog);
    this.stamps = new Float64Array(stage.stamps);
  }

  /** Brings the scene up to date for one picture. @param {number} buffer @param {number} elapsedS @param {number} frame */
  makeScene(buffer, elapsedS, frame) {
    const { words, writer, history, sound } = this;
    this.takeEvents(buffer);
    // what is heard now, not what was produced ahead
    const ahead = Atomics.load(words, SOUND) === 1 ? (sound.writtenItems() - sound.readItems()) >>> 0 : 0;
    const end = (Atomics.load(words, HISTORY_END) - ahead) & (history.length - 1);
    this.analyser.analyse(history, end, elapsedS);
    writer.sound(this.analyser, history, end);
    writer.advance(elapsedS, frame);
    this.scenes[buffer]?.copyFrom(writer.scene);
  }

  /** @param {number} buffer @param {number} x @param {number} y @param {number} width @param {number} height */
  drawTile(buffer, x, y, width, height) {
    const pixels = this.pixels[buffer];
    const scene = this.scenes[buffer];
    if (pixels === undefined || scene === undefined) throw new RangeError('buffer 0 or 1 expected');
    const offset = y * STRIDE_BYTES + x * 4;
    renderTile(pixels, STRIDE_BYTES, x, y, width, height, PICTURE_WIDTH, PICTURE_HEIGHT, scene, offset);
  }

  /** @param {number} buffer */
  takeEvents(buffer) {
    const { words, writer, records, recordFloats, stamps } = this;
    const released = Atomics.load(words, RELEASED_EVENTS); // acquire
    let event = Atomics.load(words, SCENE_EVENTS);
    // the log holds the last ones; half of it, for the input lane goes on writing
    if (((released - event) | 0) > EVENT_LOG_RECORDS / 2) event = released - EVENT_LOG_RECORDS / 2;
    for (; event !== released; event = (event + 1) | 0) {
      const base = (event & (EVENT_LOG_RECORDS - 1)) * EVENT_RECORD_WORDS;
      if (records[base + EVENT_WORD.kind] === EVENT_KIND.pointer) {
        const buttons = records[base + EVENT_WORD.state] ?? 0;
        writer.pointer(recordFloats[base + EVENT_WORD.x] ?? 0, recordFloats[base + EVENT_WORD.y] ?? 0, buttons);
      } else if (recordIsDown(records, base)) {
        writer.key(recordKey(records, base));
      }
      stamps[buffer] = recordTimeUs(records, base) / 1000;
    }
    Atomics.store(words, SCENE_EVENTS, released);
  }
}

/** @type {RenderLane | null} */
let lane = null;
warmUp();

/** Makes the scene of a frame from the sound, the events and the scene before. */
export const scene = task({
  input: { buffer: u32, frameNumber: u32, elapsedS: f32 },
  budgetUs: 4000,
  run(input, _output, context) {
    lane ??= new RenderLane(stageOf(context.shared));
    lane.makeScene(input.buffer, input.elapsedS, input.frameNumber);
  },
});

/** Draws one tile of a frame whose scene is made. Position and size in pixels; `spinUs` is a provocation, else 0. */
export const tile = task({
  input: { buffer: u32, x: u32, y: u32, width: u32, height: u32, spinUs: u32 },
  budgetUs: 4000,
  run(input, _output, context) {
    lane ??= new RenderLane(stageOf(context.shared));
    if (input.spinUs > 0) spin(input.spinUs);
    lane.drawTile(input.buffer, input.x, input.y, input.width, input.height);
  },
});

// The rest is only there to go wrong.

/** Holds its worker; innocent by itself: its deadline is far. */
export const bake = task({
  input: { us: u32 },
  deadlineMs: 2000,
  run(input) {
    spin(input.us);
  },
});

/** Makes garbage as fast as it can. */
export const litter = task({
  input: { us: u32 },
  deadlineMs: 16,
  budgetUs: 4000,
  run(input) {
    /** @type {unknown[]} */
    const kept = [];
    for (const end = performance.now() + input.us / 1000; performance.now() < end; ) {
      for (let i = 0; i < 1000; i++) kept.push({ i, next: kept[i] ?? null });
      if (kept.length > 200_000) kept.length = 0;
    }
  },
});

/** Ends its own thread, and never returns. */
export const crash = task({
  input: {},
  run() {
    /** @type {{ close(): void }} */ (/** @type {unknown} */ (self)).close();
    for (;;);
  },
});

/** Never returns. */
export const hang = task({
  input: {},
  run() {
    for (;;);
  },
});

/** @param {number} us */
function spin(us) {
  for (const end = performance.now() + us / 1000; performance.now() < end; );
}

/** Cold, a picture takes ten times as long: draw some before the first frame. */
function warmUp() {
  const view = new SceneView(new ArrayBuffer(sceneBytes(SCENE_SIZE)), 0, SCENE_SIZE);
  view.bars.fill(0.5);
  view.peaks.fill(0.6);
  view.trail.fill(0.4);
  view.pulses.fill(0.3);
  view.level = 0.5;
  const pixels = new Uint8Array(TILE_PIXELS * TILE_PIXELS * 4);
  for (let n = 0; n < 6; n++) {
    for (let y = 0; y < PICTURE_HEIGHT; y += TILE_PIXELS) {
      for (let x = 0; x < PICTURE_WIDTH; x += TILE_PIXELS) {
        renderTile(pixels, TILE_PIXELS * 4, x, y, TILE_PIXELS, TILE_PIXELS, PICTURE_WIDTH, PICTURE_HEIGHT, view);
      }
    }
  }
}
