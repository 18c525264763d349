import * as tests from './hang.js';

globalThis.webTests = tests;
