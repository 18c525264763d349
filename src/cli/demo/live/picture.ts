import type { Frame } from '../../../scheduler/frame.js';
import { PICTURE_HEIGHT, PICTURE_WIDTH, TILE_PIXELS } from '../stage/stage.js';
import type { DemoScheduler } from './lanes.js';

/** Submits the jobs that draw one frame: the scene, a barrier, then the tiles. */
export class Picture {
  /** Picture buffer of the last frame submitted. */
  buffer: number;
  private readonly tasks: DemoScheduler['lanes']['render'];
  private readonly buffers: number;
  private frames: number;
  private lastStartUs: number;

  constructor(scheduler: DemoScheduler, buffers: number) {
    this.tasks = scheduler.lanes.render;
    this.buffers = buffers;
    this.buffer = -1;
    this.frames = 0;
    this.lastStartUs = -1;
  }

  submit(frame: Frame): void {
    const { scene, tile } = this.tasks;
    this.buffer = this.frames % this.buffers;
    scene.input.buffer = this.buffer;
    scene.input.frameNumber = this.frames;
    scene.input.elapsedS = this.lastStartUs < 0 ? 1 / 60 : (frame.startUs - this.lastStartUs) / 1e6;
    frame.submit(scene);
    frame.barrier();
    for (let y = 0; y < PICTURE_HEIGHT; y += TILE_PIXELS) {
      for (let x = 0; x < PICTURE_WIDTH; x += TILE_PIXELS) {
        tile.input.buffer = this.buffer;
        tile.input.x = x;
        tile.input.y = y;
        tile.input.width = Math.min(TILE_PIXELS, PICTURE_WIDTH - x);
        tile.input.height = Math.min(TILE_PIXELS, PICTURE_HEIGHT - y);
        frame.submit(tile);
      }
    }
    this.lastStartUs = frame.startUs;
    this.frames++;
  }
}
