import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { addonPath, skipsBecause, whyNot } from './support.js';

const RUNS = process.env['FUZZ_RUNS'] ?? '3000';
const reason = whyNot ?? (process.platform === 'linux' ? null : 'not Linux');

describe.skipIf(skipsBecause('calls of the addon with wrong arguments', reason))('the addon', () => {
  it('answers wrong types, huge numbers and dead threads with TypeError, RangeError or ESRCH', () => {
    const script = fileURLToPath(new URL('./fuzz.js', import.meta.url));
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script, addonPath!, RUNS], {
      encoding: 'utf8',
    });
    expect({ status, signal, stdout, stderr }).toMatchObject({ status: 0, signal: null });
    expect(stdout).toContain('dead or foreign threads: ESRCH ESRCH ESRCH ESRCH');
  });
});
