import { once } from 'node:events';
import { expect, it } from 'vitest';
import { startChild, until } from './support.js';

it('what handlers print arrives while the main thread is blocked for good', async () => {
  const child = startChild('print.js');
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const whole = (): boolean => (stdout.match(/nested/g) ?? []).length === 3 && stderr.includes('stderr 3');
  await until('the prints', whole, 15_000).finally(() => child.kill('SIGKILL'));
  await once(child, 'close');
  expect(stdout.indexOf('printed at import')).toBeLessThan(stdout.indexOf('main is blocked'));
  const one = (n: number): string => `log ${n}\nwrite ${n}\n{ umlaut: 'äöü', nested: [ 1, 2, 3 ] }\n`;
  expect(stdout.slice(stdout.indexOf('from here\n') + 10)).toBe(one(1) + one(2) + one(3));
  expect(stderr).toBe([1, 2, 3].map((n) => `error ${n}\nstderr ${n}\n`).join(''));
});

it('printing into a pipe that nobody reads does not hold a worker for ever', async () => {
  const child = startChild('flood.js');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const [code] = await once(child, 'exit'); // `close` would wait for the pipe to be read
  clearTimeout(timer);
  child.stdout!.destroy();
  expect(code).toBe(42);
});

it('printing into a pipe whose reader has gone does not hurt', async () => {
  const child = startChild('flood.js');
  child.stdout!.destroy();
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const [code] = await once(child, 'exit');
  clearTimeout(timer);
  expect(code).toBe(42);
});
