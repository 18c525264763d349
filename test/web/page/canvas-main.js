import * as tests from './canvas.js';

globalThis.webTests = tests;
