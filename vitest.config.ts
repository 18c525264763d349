import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // tests use the built package by its public name: workers need JavaScript files
    alias: [
      { find: /^frame-deadline$/, replacement: new URL('./dist/index.js', import.meta.url).pathname },
      { find: /^frame-deadline\/testing$/, replacement: new URL('./dist/testing/index.js', import.meta.url).pathname },
      {
        find: /^frame-deadline\/(prometheus|opentelemetry|hlog|trace|report)$/,
        replacement: new URL('./dist/report/$1.js', import.meta.url).pathname,
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // threads and browsers on a machine that others use too: a test that fails once there is run again, and named
    retry: process.env['CI'] === undefined ? 0 : 1,
  },
});
