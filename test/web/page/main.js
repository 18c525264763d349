import * as tests from './tests.js';

globalThis.webTests = tests;
