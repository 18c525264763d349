import { fileURLToPath } from 'node:url';
import { FixedThreadPool } from 'poolifier';

const script = fileURLToPath(new URL('./poolifier.worker.js', import.meta.url));

export async function open() {
  const pool = new FixedThreadPool(1, script);
  return { call: (name, argument) => pool.execute(argument, name), close: () => pool.destroy() };
}
