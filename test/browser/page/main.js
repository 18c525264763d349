import { FrameGaps } from './frame-gaps.js';
import * as healing from './healing.js';
import { startAndStop } from './start-and-stop.js';

globalThis.browserTests = { startAndStop, ...healing, FrameGaps };
