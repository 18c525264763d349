export { RELOAD_EVENT, type ReloadMessage } from './message.js';
export { type FrameDeadlinePlugin, type FrameDeadlinePluginOptions, frameDeadline } from './plugin.js';
