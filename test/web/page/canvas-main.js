import * as tests from './canvas.js';

globalThis.canvasTests = tests;
