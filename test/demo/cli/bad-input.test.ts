import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_OUT, parseDemoOptions } from '../../../src/cli/demo/options.js';
import { AS_NOBODY, canRun, isRoot, skipsBecause } from '../../native/support.js';
import { buildWav } from '../audio/wav-bytes.js';
import { MAIN, runCli, runCliInto, scratchDirectory } from './run-cli.js';

const directory = scratchDirectory();
const at = (name: string): string => join(directory, name);
// root may read and write everything
const user = isRoot ? { uid: 65_534, gid: 65_534 } : {};
const canBeAnother = `${AS_NOBODY} ${process.execPath} -e "require('fs').accessSync('${MAIN}')"`;
const whyNoUser = !isRoot || canRun(canBeAnother) ? null : 'no other user can be tried from here';

describe('the command line', () => {
  it.each([
    [[], 'no command given'],
    [['dance'], 'unknown command "dance"'],
    [['demo', '--bogus'], '--bogus'],
  ])('%j is wrong use: status 2, one line, nothing on standard output', async (args, words) => {
    const { status, stdout, stderr } = await runCli(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(words);
    expect(stderr).toMatch(/^frame-deadline: [^\n]*--help` \[USAGE\]\n$/);
  });

  it('tells its version and its options', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(await runCli(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
    expect((await runCli(['--help'])).stdout).toContain('demo');
    const help = await runCli(['demo', '--help']);
    for (const option of [
      'audio',
      'events',
      'seconds',
      'seed',
      'load',
      'workers',
      'priority',
      'no-addon',
      'buffer-blocks',
    ]) {
      expect(help.stdout).toContain(`--${option}`);
    }
  });

  const WRONG: string[][] = [
    ...['0', '-1', 'NaN', 'Infinity', '1e9', '', ' ', '0x10', '1s'].map((text) => ['--seconds', text]),
    ...['0', '-1', '1.5', '17', 'two'].map((text) => ['--workers', text]),
    ...['-1', '0.5', '65'].map((text) => ['--load', text]),
    ...['-1', '1.5', '4294967296', 'x'].map((text) => ['--seed', text]),
    ...['0', '1', '1025', '8.5'].map((text) => ['--buffer-blocks', text]),
    ['--priority', 'fast'],
    ['--audio', ''],
    ['--audio'],
    ['--json=1'],
    ['--report'],
    ['file.wav'],
  ];
  it.each(WRONG.map((args) => [args]))('demo %j is wrong use', (args) => {
    expect(() => parseDemoOptions(args)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  const LIVE_ONLY = [['--trace'], ['--hlog'], ['--prometheus', '0'], ['--serve', 'x.sock']];
  it.each(LIVE_ONLY.map((args) => [args]))('demo --offline with %j is wrong use, which names both', (args) => {
    const error = expect.objectContaining({
      code: 'USAGE',
      message: expect.stringContaining(`--offline with ${args[0]} given`),
    });
    expect(() => parseDemoOptions(['--offline', ...args])).toThrow(error);
    expect(() => parseDemoOptions([...args, '--offline'])).toThrow(error);
    expect(parseDemoOptions(args)).toMatchObject({ offline: false });
  });

  it('takes every option', () => {
    expect(parseDemoOptions([])).toMatchObject({
      seconds: null,
      seed: 1,
      workers: null,
      out: DEFAULT_OUT,
      bufferBlocks: 8,
    });
    const args = '--audio a --events e --seconds 2.5 --seed 7 --load 2 --workers 3 --priority realtime --no-addon';
    const more = '--buffer-blocks=16 --no-report --trace --hlog --prometheus 9464 --serve s --out o --json';
    expect(parseDemoOptions([...args.split(' '), ...more.split(' '), '--quiet'])).toEqual({
      audio: 'a',
      events: 'e',
      seconds: 2.5,
      seed: 7,
      load: 2,
      workers: 3,
      priority: 'realtime',
      addon: false,
      bufferBlocks: 16,
      offline: false,
      report: false,
      trace: true,
      hlog: true,
      prometheus: 9464,
      serve: 's',
      out: 'o',
      json: true,
      quiet: true,
    });
    expect(parseDemoOptions(['--offline', '--no-report'])).toMatchObject({ offline: true, report: false });
    expect(parseDemoOptions(['--seconds', '1', '-h'])).toBe('help');
  });
});

describe('files that cannot be used', () => {
  const wav = buildWav();
  const FILES: [name: string, bytes: Uint8Array | null, code: string][] = [
    ['missing.wav', null, 'FILE_UNREADABLE'],
    ['empty.wav', new Uint8Array(0), 'WAV_INVALID'],
    ['truncated.wav', wav.subarray(0, wav.length - 40), 'WAV_INVALID'],
    ['lying.wav', buildWav({ claimedDataBytes: 1e9 }), 'WAV_INVALID'],
    ['mp3.wav', Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1'), Buffer.alloc(4096, 0xfb)]), 'WAV_INVALID'],
    ['silent.wav', buildWav({ data: new Uint8Array(0) }), 'WAV_INVALID'],
  ];
  it.each(FILES)('%s', async (name, bytes, code) => {
    if (bytes !== null) writeFileSync(at(name), bytes);
    const { status, stdout, stderr } = await runCli(['demo', '--audio', at(name), '--out', at('none'), '--json']);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`[${code}]`);
    expect(stderr).toContain(name);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    // nothing was begun
    expect(existsSync(at('none'))).toBe(false);
  });

  it('an event file with a broken line, which is named', async () => {
    writeFileSync(at('broken.jsonl'), '{"timeUs":0,"type":"key","key":"a","down":true}\n\n{"timeUs":5,"type":"ke\n');
    const { status, stderr } = await runCli([
      'demo',
      '--events',
      at('broken.jsonl'),
      '--seconds',
      '1',
      '--out',
      at('none'),
    ]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/broken\.jsonl, line 3: .*\[EVENTS_INVALID\]/);
  });

  it('an output directory that cannot be', async () => {
    writeFileSync(at('a-file'), '');
    const { status, stdout, stderr } = await runCli([
      'demo',
      '--seconds',
      '30',
      '--out',
      join(at('a-file'), 'x'),
      '--json',
    ]);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain('[OUTPUT_UNWRITABLE]');
  });

  it.each(['audio.wav', 'report.json'])('%s cannot be written', async (name) => {
    mkdirSync(join(at(`taken-${name}`), name), { recursive: true });
    const { status, stderr } = await runCli(['demo', '--seconds', '1', '--out', at(`taken-${name}`)]);
    expect(status).toBe(1);
    expect(stderr).toContain('[OUTPUT_UNWRITABLE]');
  });

  const OUTPUTS = [
    ['demo', '--seconds', '0.1', '--offline', '--json', '--out', at('full')],
    ['demo', '--seconds', '0.1', '--offline', '--out', at('full')],
    ['doctor', '--seconds', '2'],
  ];
  it.runIf(existsSync('/dev/full')).each(OUTPUTS.map((args) => [args]))(
    '%j with a standard output that takes no more',
    async (args) => {
      const { status, stderr } = await runCliInto('/dev/full', args);
      expect(status).toBe(1);
      expect(stderr).toContain('[OUTPUT_UNWRITABLE]');
    },
  );

  it.skipIf(skipsBecause('files without permission', whyNoUser))('no permission to read or to write', async () => {
    chmodSync(directory, 0o755);
    writeFileSync(at('secret.wav'), wav);
    chmodSync(at('secret.wav'), 0);
    mkdirSync(at('locked'), { mode: 0o500 });
    const unread = await runCli(['demo', '--audio', at('secret.wav')], user);
    expect(unread.stderr).toContain('[FILE_UNREADABLE]');
    const unwritten = await runCli(['demo', '--seconds', '1', '--out', at('locked')], user);
    expect(unwritten.stderr).toContain('[OUTPUT_UNWRITABLE]');
  });
});
