import { f32, u32 } from '../../../memory/fields.js';
import { task } from '../../../worker/task.js';
import { renderTile } from '../picture/raster.js';
import { SceneView, sceneBytes } from '../picture/scene.js';
import { PICTURE_HEIGHT, PICTURE_WIDTH, type Stage, TILE_PIXELS } from '../stage/stage.js';
import { RenderLane } from './render-lane.js';

let lane: RenderLane | null = null;
warmUp();

/** Makes the scene of a frame from the sound, the events and the scene before. */
export const scene = task({
  input: { buffer: u32, frameNumber: u32, elapsedS: f32 },
  run(input, _output, context) {
    lane ??= new RenderLane(context.shared['stage'] as Stage);
    lane.makeScene(input.buffer, input.elapsedS, input.frameNumber);
  },
});

/** Draws one tile of a frame whose scene is made. Position and size in pixels. */
export const tile = task({
  input: { buffer: u32, x: u32, y: u32, width: u32, height: u32 },
  run(input, _output, context) {
    lane ??= new RenderLane(context.shared['stage'] as Stage);
    lane.drawTile(input.buffer, input.x, input.y, input.width, input.height);
  },
});

/** Cold, a picture takes ten times as long: draw some before the first frame. */
function warmUp(): void {
  const size = { barCount: 96, wavePoints: 480 };
  const view = new SceneView(new ArrayBuffer(sceneBytes(size)), 0, size);
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
