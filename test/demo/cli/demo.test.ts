import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readWav } from '../../../src/cli/demo/audio/wav-reader.js';
import { readChanges } from '../../../src/cli/demo/change-file.js';
import { writeEvents } from '../../../src/cli/demo/events/event-file.js';
import { generateGesture } from '../../../src/cli/demo/events/gesture.js';
import { parseTelemetry } from '../../../src/report/parse-telemetry.js';
import { buildWav, type WavSpec } from '../audio/wav-bytes.js';
import { checkReport } from './report-checks.js';
import { runCli, scratchDirectory, startCli } from './run-cli.js';

const directory = scratchDirectory();
const out = (name: string): string => join(directory, name);

describe('a run', () => {
  it('reports, writes its files, and has the bits of the offline rendering unless there were xruns', async () => {
    // deep enough that xruns are rare on a busy machine
    const args = ['demo', '--seconds', '1.5', '--buffer-blocks', '400', '--out', out('run'), '--json'];
    const { status, stdout } = await runCli(args);
    expect(status).toBe(0);
    const report = checkReport(stdout);
    const { telemetry, ...written } = JSON.parse(readFileSync(report.files.report!, 'utf8'));
    expect(report).toEqual(written);
    expect(parseTelemetry(JSON.stringify(telemetry), 'report.json').lanes.map(({ name }) => name)).toEqual([
      'audio',
      'input',
      'render',
    ]);
    expect(readFileSync(report.files.html!, 'utf8')).toContain('<!doctype html>');
    expect([report.files.trace, report.files.hlog]).toEqual([null, null]);
    expect(report.interrupted).toBe(false);
    expect(report.durationS).toBe(1.5);
    expect(report.audio).toMatchObject({
      file: null,
      sampleRateHz: 48_000,
      channels: 2,
      blocks: 563,
      bufferBlocks: 400,
    });
    expect(report.audio.identicalToOffline).toBe(report.audio.xruns === 0 ? true : null);
    const wav = readWav(report.files.wav!);
    expect(wav).toMatchObject({ sampleRateHz: 48_000, channels: 2, format: 'float32', sampleFrames: 563 * 128 });
    expect(wav.data[0]!.some((sample) => Math.abs(sample) > 0.01)).toBe(true);
    expect(readFileSync(report.files.png!).subarray(1, 4).toString('latin1')).toBe('PNG');
    const log = readChanges(report.files.changes!)!;
    expect(log.header.blocks).toBe(563);
    expect(log.changes.length).toBeGreaterThan(0);
    expect(report.input.applied).toBeGreaterThan(0);
    expect(report.lanes.render.submitted).toBe(report.lanes.render.accepted);
    expect(report.workers.flatMap((worker) => worker.lanes)).toEqual(
      expect.arrayContaining(['audio', 'input', 'render']),
    );

    const offline = await runCli(['demo', '--offline', '--out', out('run'), '--json', '--quiet']);
    expect(offline.status).toBe(0);
    const again = checkReport(offline.stdout);
    expect(again.audio.blocks).toBe(563);
    expect(again.audio.identicalToOffline).toBe(report.audio.xruns === 0 ? true : null);
    if (report.audio.xruns > 0) return;
    expect(readFileSync(again.files.wav!).equals(readFileSync(report.files.wav!))).toBe(true);
    // and a bit that differs is found
    const bytes = readFileSync(report.files.wav!);
    bytes[bytes.length - 4_000]! ^= 1;
    writeFileSync(report.files.wav!, bytes);
    const changed = await runCli(['demo', '--offline', '--out', out('run'), '--json']);
    expect(checkReport(changed.stdout).audio.identicalToOffline).toBe(false);
    expect(changed.stderr).toContain('differs from block');
  });

  const FORMATS: [name: string, spec: WavSpec & { sampleFrames: number }][] = [
    ['8 bits, 8 kHz, mono', { format: 'pcm8', channels: 1, sampleRateHz: 8000, sampleFrames: 2001 }],
    [
      '24 bits, 44.1 kHz, 3 channels, a chunk more',
      {
        format: 'pcm24',
        channels: 3,
        sampleRateHz: 44_100,
        sampleFrames: 9_999,
        before: [['LIST', new Uint8Array(7)]],
      },
    ],
    ['32-bit float, 192 kHz', { format: 'float32', channels: 2, sampleRateHz: 192_000, sampleFrames: 40_000 }],
  ];
  it.each(FORMATS)('plays a file of %s for its length', async (name, { sampleFrames, ...spec }) => {
    const file = out(`${name.replace(/\W+/g, '-')}.wav`);
    const bytesPerSample = { pcm8: 1, pcm16: 2, pcm24: 3, pcm32: 4, float32: 4 }[spec.format!];
    writeFileSync(file, buildWav({ ...spec, data: new Uint8Array(sampleFrames * spec.channels! * bytesPerSample) }));
    const { status, stdout, stderr } = await runCli([
      'demo',
      '--audio',
      file,
      '--out',
      out('formats'),
      '--json',
      '--quiet',
    ]);
    expect([status, stderr]).toEqual([0, '']);
    const report = checkReport(stdout);
    const blocks = Math.ceil(sampleFrames / 128);
    expect(report.audio).toMatchObject({ file, sampleRateHz: spec.sampleRateHz, channels: spec.channels, blocks });
    expect(readWav(report.files.wav!).sampleFrames).toBe(blocks * 128);
    if (report.audio.xruns === 0) expect(report.audio.identicalToOffline).toBe(true);
  });

  it('plays events back, leaving out those after the end, with N render workers', async () => {
    const file = out('events.jsonl');
    const events = generateGesture(4e6, 200);
    writeEvents(file, events);
    const args = ['demo', '--events', file, '--seconds', '1', '--workers', '2', '--out', out('events'), '--json'];
    const { status, stdout } = await runCli([...args, '--priority', 'normal', '--no-addon']);
    expect(status).toBe(0);
    const report = checkReport(stdout);
    expect(report.input.events).toBe(events.length);
    // the lane goes on for a moment after the sound's end
    expect(report.input.applied).toBeGreaterThan(0);
    expect(report.input.applied).toBeLessThan(events.length);
    expect(report.workers.filter((worker) => worker.lanes.includes('render'))).toHaveLength(2);
    for (const { priority } of report.workers) expect(priority.requested).toBe('normal');
  });

  it('writes plain lines where there is no terminal, and nothing when quiet', async () => {
    const loud = await runCli(['demo', '--seconds', '0.3', '--out', out('plain')]);
    expect(loud.status).toBe(0);
    expect(loud.stderr).toBe('');
    expect(loud.stdout).toMatch(/^\d\.\d s of 0\.3 s \| audio /m);
    expect(loud.stdout).toContain('Ran 0.3 s');
    expect(loud.stdout).toContain(join(out('plain'), 'audio.wav'));
    expect(loud.stdout).not.toContain('\x1b');
    const quiet = await runCli(['demo', '--seconds', '0.3', '--out', out('plain'), '--quiet']);
    expect(quiet).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('goes on to its end when nobody reads its output', async () => {
    const process = startCli(['demo', '--seconds', '1', '--out', out('epipe')]);
    process.child.stdout!.destroy();
    const { status, stderr } = await process.result;
    expect([status, stderr]).toEqual([0, '']);
    expect(statSync(join(out('epipe'), 'report.json')).size).toBeGreaterThan(100);
  });
});

describe('--offline', () => {
  it('renders from the events where there is no log, the same each time', async () => {
    const results: Buffer[] = [];
    for (let n = 0; n < 2; n++) {
      const { status, stdout } = await runCli([
        'demo',
        '--offline',
        '--seconds',
        '2',
        '--out',
        out(`off${n}`),
        '--json',
      ]);
      expect(status).toBe(0);
      const report = checkReport(stdout);
      expect(report.audio).toMatchObject({ blocks: 750, identicalToOffline: null });
      expect(report.input.applied).toBeGreaterThan(1000);
      results.push(readFileSync(report.files.wav!));
    }
    expect(results[0]!.equals(results[1]!)).toBe(true);
    expect(existsSync(join(out('off0'), 'audio.wav'))).toBe(false);
  });

  it('names the line of a log that is broken', async () => {
    await runCli(['demo', '--offline', '--seconds', '0.1', '--out', out('broken')]);
    const header = { type: 'run', schemaVersion: 1, audio: null, seconds: 0.1, blocks: 38, xruns: 0 };
    writeFileSync(join(out('broken'), 'changes.jsonl'), `${JSON.stringify(header)}\n{"block":1,"parameter":"x"}\n`);
    const { status, stdout, stderr } = await runCli(['demo', '--offline', '--out', out('broken'), '--json']);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/changes\.jsonl, line 2: parameter "x".*\[EVENTS_INVALID\]\n$/);
  });
});
