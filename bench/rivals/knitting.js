import * as work from './work.js';

// its workers import the module that makes the pool, and look there for the tasks by name
export * from './work.js';

/** `module`: where its build lies; see bench/harness/contestants.js. */
export async function open({ module }) {
  const { createPool } = await import(module);
  const pool = createPool({ threads: 1 })({ ...work });
  return { call: (name, argument) => pool.call[name](argument), close: () => pool.shutdown() };
}
