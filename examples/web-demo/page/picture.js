import { PICTURE_BUFFERS, PICTURE_HEIGHT, PICTURE_WIDTH, TILE_PIXELS } from './stage.js';

/** Submits the jobs that draw one frame, the scene, a barrier, then the tiles; and shows what they drew. */
export class Picture {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import('./stage.js').Stage} stage
   * @param {import('./demo.js').DemoScheduler} scheduler
   */
  constructor(canvas, stage, scheduler) {
    const brush = canvas.getContext('2d', { alpha: false });
    if (brush === null) throw new Error('this browser has no 2D canvas');
    this.brush = brush;
    this.image = new ImageData(PICTURE_WIDTH, PICTURE_HEIGHT);
    this.pixels = stage.pixels.map((buffer) => new Uint8ClampedArray(buffer));
    this.stamps = new Float64Array(stage.stamps);
    this.tasks = scheduler.lanes.render;
    this.frames = 0;
    this.buffer = 0;
    this.lastStartUs = -1;
    /** Provocation: how long the next frame's first tile shall work. */
    this.spinUs = 0;
    this.shownStampMs = 0;
    /** From the newest event to its picture, ms; -1 before there was one. */
    this.latencyMs = -1;
  }

  /** @param {import('frame-deadline').Frame} frame */
  submit(frame) {
    const { scene, tile } = this.tasks;
    this.buffer = this.frames % PICTURE_BUFFERS;
    scene.input.buffer = this.buffer;
    scene.input.frameNumber = this.frames;
    // after a pause the picture goes on where it was
    scene.input.elapsedS = this.lastStartUs < 0 ? 1 / 60 : Math.min(0.1, (frame.startUs - this.lastStartUs) / 1e6);
    frame.submit(scene);
    frame.barrier();
    for (let y = 0; y < PICTURE_HEIGHT; y += TILE_PIXELS) {
      for (let x = 0; x < PICTURE_WIDTH; x += TILE_PIXELS) {
        tile.input.buffer = this.buffer;
        tile.input.x = x;
        tile.input.y = y;
        tile.input.width = Math.min(TILE_PIXELS, PICTURE_WIDTH - x);
        tile.input.height = Math.min(TILE_PIXELS, PICTURE_HEIGHT - y);
        tile.input.spinUs = this.spinUs;
        this.spinUs = 0;
        frame.submit(tile);
      }
    }
    this.lastStartUs = frame.startUs;
    this.frames++;
  }

  /** An ImageData takes no shared memory: one copy, and put. */
  present() {
    const { buffer, image, stamps } = this;
    const pixels = this.pixels[buffer];
    if (pixels === undefined) return;
    image.data.set(pixels);
    this.brush.putImageData(image, 0, 0);
    const stampMs = stamps[buffer] ?? 0;
    if (stampMs <= this.shownStampMs) return;
    this.shownStampMs = stampMs;
    this.latencyMs = performance.now() - stampMs;
  }
}
