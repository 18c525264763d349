import { AudioClock, StreamRing } from 'frame-deadline';
import { EVENT_RECORD_WORDS } from '../../../dist/cli/demo/events/record.js';
import { SceneView, sceneBytes } from '../../../dist/cli/demo/picture/scene.js';

// What the page and its lanes share, and where in it what lies.

export const PICTURE_WIDTH = 640;
export const PICTURE_HEIGHT = 360;
/** Fifteen jobs a frame: a late frame leaves fifteen misses, not hundreds. */
export const TILE_PIXELS = 128;
/** What the last frame drew stays whole while the next is drawn. */
export const PICTURE_BUFFERS = 2;
export const BLOCK_SAMPLE_FRAMES = 128;
export const SAMPLE_RATE_HZ = 48_000;
export const CHANNELS = 2;
export const FFT_SIZE = 2048;
export const SCENE_SIZE = { barCount: 96, wavePoints: 480 };
/** Events that the picture may be behind: a power of two. */
export const EVENT_LOG_RECORDS = 1024;
/** Bytes of one change on its way to the audio lane: parameter (i32), unused, value (f64). */
const CHANGE_RECORD_BYTES = 16;
/** Bytes of one event: the record of the terminal's demo. */
const EVENT_RECORD_BYTES = EVENT_RECORD_WORDS * 4;

/**
 * Words of `words`, each with its one writer.
 *
 * | word | what | writer |
 * |---|---|---|
 * | SOUND | 1 while a device plays the ring | page |
 * | STALL_MS | how long the audio lane shall do nothing, once; 0 for not | page sets, audio lane clears |
 * | HISTORY_END | mono sample frames in the history, modulo 2^32 | audio lane |
 * | RELEASED_EVENTS | events in the log | input lane |
 * | SCENE_EVENTS | of these, how many the picture has taken | render lane |
 */
export const SOUND = 0;
export const STALL_MS = 1;
export const HISTORY_END = 32;
export const RELEASED_EVENTS = 64;
export const SCENE_EVENTS = 96;
const WORDS = 128;

const RING_SAMPLE_FRAMES = 16_384;
/** A power of two, beyond what is produced ahead of the ear plus what the spectrum looks at. */
const HISTORY_SAMPLE_FRAMES = 32_768;

/**
 * Plain data but for shared buffers: goes to workers as it is.
 * @typedef {object} Stage
 * @property {readonly Float32Array[]} music a plane for each channel
 * @property {SharedArrayBuffer} words
 * @property {SharedArrayBuffer} sound ring of samples, from the audio lane to the device
 * @property {SharedArrayBuffer} clock of that ring
 * @property {SharedArrayBuffer} events ring of records, from the page to the input lane
 * @property {SharedArrayBuffer} eventLog the same events for the picture, which looks at the last ones
 * @property {SharedArrayBuffer} changes ring of records, from the input lane to the audio lane
 * @property {SharedArrayBuffer} history f32: mono mix of what was produced
 * @property {SharedArrayBuffer} spectrum f32: what lasts from frame to frame
 * @property {readonly SharedArrayBuffer[]} scenes the one that goes from frame to frame, then one for each picture
 * @property {readonly SharedArrayBuffer[]} pixels RGBA, for each picture
 * @property {SharedArrayBuffer} stamps f64, for each picture: `timeStamp` in ms of the newest event that it shows
 */

/** Whether memory can be shared with workers here. */
export const canShare = typeof SharedArrayBuffer !== 'undefined' && globalThis.crossOriginIsolated === true;

/** Plain memory serves one thread as well. @param {number} bytes @returns {SharedArrayBuffer} */
function memory(bytes) {
  return /** @type {SharedArrayBuffer} */ (canShare ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
}

/**
 * @param {readonly Float32Array[]} music
 * @param {number} depthSampleFrames how much sound is kept ready
 * @returns {Stage}
 */
export function allocateStage(music, depthSampleFrames) {
  const shared = canShare;
  const sound = StreamRing.allocate({
    kind: 'f32',
    channels: CHANNELS,
    capacitySampleFrames: RING_SAMPLE_FRAMES,
    shared,
  });
  const events = StreamRing.allocate({
    kind: 'records',
    recordBytes: EVENT_RECORD_BYTES,
    capacityRecords: EVENT_LOG_RECORDS,
    shared,
  });
  const changes = StreamRing.allocate({
    kind: 'records',
    recordBytes: CHANGE_RECORD_BYTES,
    capacityRecords: 4096,
    shared,
  });
  const scenes = Array.from({ length: PICTURE_BUFFERS + 1 }, () => memory(sceneBytes(SCENE_SIZE)));
  for (const scene of scenes) new SceneView(scene, 0, SCENE_SIZE);
  return {
    music,
    words: memory(WORDS * 4),
    sound: sound.buffer,
    clock: AudioClock.allocate(sound, depthSampleFrames).buffer,
    events: events.buffer,
    eventLog: memory(EVENT_LOG_RECORDS * EVENT_RECORD_BYTES),
    changes: changes.buffer,
    history: memory(HISTORY_SAMPLE_FRAMES * 4),
    spectrum: memory(4 * 4 * SCENE_SIZE.barCount),
    scenes,
    pixels: Array.from({ length: PICTURE_BUFFERS }, () => memory(PICTURE_WIDTH * PICTURE_HEIGHT * 4)),
    stamps: memory(PICTURE_BUFFERS * 8),
  };
}

/** @param {Readonly<Record<string, unknown>>} shared `context.shared` of a task */
export function stageOf(shared) {
  return /** @type {Stage} */ (shared['stage']);
}
