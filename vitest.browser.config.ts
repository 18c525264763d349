import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { CHROMIUM, CHROMIUM_FLAGS } from './test/chromium.js';

// The core's unit and property tests, the same files as on Node, in a cross-origin isolated page of Chromium.

const NEEDS_NODE = [
  // threads of Node; pages and workers are tested together in test/web and test/browser
  'test/ring/stream-ring-threads.test.ts',
  'test/telemetry/threads.test.ts',
  // reads the source and steps through it in a `node:vm`, beside a thread of Node
  'test/telemetry/job-trace-schedules.test.ts',
  // how `node:util` prints a view
  'test/memory/views-inspect.test.ts',
  // collects garbage when it says so
  'test/ring/job-ring.test.ts',
];

if (CHROMIUM === undefined)
  console.warn('SKIPPED: the unit tests are not run in a browser, no Chromium is here (apt-get install chromium)');

const built = (file: string) => new URL(`./dist/${file}`, import.meta.url).pathname;

export default defineConfig({
  resolve: {
    alias: [
      { find: /^frame-deadline$/, replacement: built('web.js') },
      { find: /^frame-deadline\/testing$/, replacement: built('testing/index.js') },
    ],
  },
  // named here: found in the middle of a run, they would load the page anew
  optimizeDeps: { include: ['fast-check', 'hdr-histogram-js', 'ringbufferjs'] },
  // seeds and numbers of runs
  define: { 'process.env': JSON.stringify({ PICKING_RUNS: process.env['PICKING_RUNS'] }) },
  server: {
    headers: {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    },
  },
  test: {
    include: [
      'test/{ring,memory,telemetry,scheduling}/*.test.ts',
      'test/web/{clock,display-pace}.test.ts',
      'test/web-audio/{audio-clock,capture-stream,drift,playback-stream}.test.ts',
    ],
    exclude: CHROMIUM === undefined ? ['**'] : NEEDS_NODE,
    passWithNoTests: CHROMIUM === undefined,
    testTimeout: 60_000,
    maxWorkers: 1,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      api: { host: '127.0.0.1' },
      provider: playwright({
        launchOptions: { args: CHROMIUM_FLAGS, ...(CHROMIUM === undefined ? {} : { executablePath: CHROMIUM }) },
      }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
