// Entry point `frame-deadline/web-audio`: pages and Electron renderers only. What a lane needs of it, AudioClock and
// StreamRing, is in the main entry too, free of DOM types.
export {
  AudioClock,
  type AudioState,
  type DepthOptions,
  targetDepthSampleFrames,
} from '../ring/audio-clock.js';
export { StreamRing } from '../ring/stream-ring.js';
export type { AudioStream } from './audio-stream.js';
export { type Capture, type CaptureOptions, createCaptureNode } from './capture-node.js';
export { createPlaybackNode, type Playback, type PlaybackOptions } from './playback-node.js';
