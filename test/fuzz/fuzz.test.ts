import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/fuzz.js', import.meta.url));

it('readers of files, options, sockets and headers refuse any bytes with an error that has a code', async () => {
  const seed = process.env['FRAME_DEADLINE_SEED'] ?? String(Date.now() % 2 ** 31);
  console.log(`FRAME_DEADLINE_SEED=${seed}`);
  const args = [SCRIPT, '--seconds', '1', '--seed', seed];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  expect(stderr).toBe('');
  expect(stdout.match(/ inputs, /g)).toHaveLength(11);
});
