import { type EpochUs, newEpochUs } from '../../../host/node/clock.js';
import { StreamRing } from '../../../ring/stream-ring.js';
import type { DecodedAudio } from '../audio/decoded-audio.js';
import { BLOCK_SAMPLE_FRAMES } from '../audio/parameters.js';
import type { DemoEvent } from '../events/event.js';
import { type SceneSize, SceneView, sceneBytes } from '../picture/scene.js';
import { changeLogBytes } from './change-log.js';
import { StageControl } from './control.js';
import { type EventStore, storeEvents } from './event-store.js';

export const PICTURE_WIDTH = 640;
export const PICTURE_HEIGHT = 360;
export const TILE_PIXELS = 64;
export const FFT_SIZE = 2048;
const SCENE_SIZE: SceneSize = { barCount: 96, wavePoints: 480 };
/** Two: what the last frame drew stays whole while the next is drawn. */
export const PICTURE_BUFFERS = 2;

/** Bytes of one change on its way from the input lane to the audio lane: parameter (i32), unused, value (f64). */
const CHANGE_RECORD_BYTES = 16;
const CHANGE_RECORDS = 4096;
/** What the recorder may be behind, unless the sound has very many channels. */
const RECORDER_SECONDS = 4;
const RECORDER_MAX_BYTES = 64 * 1024 * 1024;

export interface StageOptions {
  readonly audio: DecodedAudio;
  readonly pastEnd: 'silence' | 'loop';
  readonly events: readonly DemoEvent[];
  /** Periods that the sink plays. */
  readonly blocks: number;
  readonly bufferBlocks: number;
}

/** Everything that the threads of a run share. Plain data but for shared buffers: goes to workers as it is. */
export interface Stage {
  readonly epochUs: EpochUs;
  readonly control: SharedArrayBuffer;
  readonly audio: DecodedAudio;
  /** What comes after the end of the sound. */
  readonly pastEnd: 'silence' | 'loop';
  readonly blocks: number;
  readonly bufferBlocks: number;
  readonly events: EventStore;
  /** Samples from the audio lane to the sink: a StreamRing of `bufferBlocks` blocks. */
  readonly sound: SharedArrayBuffer;
  /** Samples from the sink to the recorder: a StreamRing. */
  readonly played: SharedArrayBuffer;
  /** Changes from the input lane to the audio lane: a StreamRing of records. */
  readonly changes: SharedArrayBuffer;
  readonly changeLog: SharedArrayBuffer;
  /** Mono mix of what was produced, as a ring of 32-bit floats whose length is a power of two. */
  readonly history: SharedArrayBuffer;
  /** State of the spectrum between frames. */
  readonly spectrum: SharedArrayBuffer;
  /** Scene that goes from frame to frame, then one for each picture buffer. */
  readonly scenes: readonly SharedArrayBuffer[];
  /** RGBA, for each picture buffer. */
  readonly pixels: readonly SharedArrayBuffer[];
}

/**
 * Allocates what a run shares.
 * @throws FrameDeadlineError EVENTS_INVALID, OPTION_INVALID where it is more than can be had
 */
export function allocateStage(options: StageOptions): Stage {
  const { audio, pastEnd, events, blocks, bufferBlocks } = options;
  const { channels, sampleRateHz } = audio;
  const bufferFrames = bufferBlocks * BLOCK_SAMPLE_FRAMES;
  const recorderFrames = Math.min(RECORDER_SECONDS * sampleRateHz, RECORDER_MAX_BYTES / (4 * channels));
  const scenes = Array.from({ length: PICTURE_BUFFERS + 1 }, () => new SharedArrayBuffer(sceneBytes(SCENE_SIZE)));
  for (const scene of scenes) new SceneView(scene, 0, SCENE_SIZE);
  return {
    epochUs: newEpochUs(),
    control: new StageControl().buffer,
    audio,
    pastEnd,
    blocks,
    bufferBlocks,
    events: storeEvents(events),
    sound: StreamRing.allocate({ kind: 'f32', channels, capacitySampleFrames: bufferFrames }).buffer,
    played: StreamRing.allocate({
      kind: 'f32',
      channels,
      capacitySampleFrames: Math.max(64 * BLOCK_SAMPLE_FRAMES, Math.floor(recorderFrames)),
    }).buffer,
    changes: StreamRing.allocate({
      kind: 'records',
      recordBytes: CHANGE_RECORD_BYTES,
      capacityRecords: CHANGE_RECORDS,
    }).buffer,
    changeLog: touched(changeLogBytes(events.length)),
    // what is produced ahead of the sink must not overwrite what the picture still looks at
    history: new SharedArrayBuffer(4 * powerOfTwoFrom(bufferFrames + 4 * FFT_SIZE)),
    spectrum: new SharedArrayBuffer(4 * 4 * SCENE_SIZE.barCount),
    scenes,
    pixels: Array.from({ length: PICTURE_BUFFERS }, () => new SharedArrayBuffer(PICTURE_WIDTH * PICTURE_HEIGHT * 4)),
  };
}

/** Pages of memory that the audio lane writes little by little: it must not wait for the system to give each. */
function touched(bytes: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes);
  new Uint8Array(buffer).fill(0);
  return buffer;
}

function powerOfTwoFrom(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}
