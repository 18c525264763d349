import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hlogText } from '../../src/report/hlog.js';
import { chromeTrace } from '../../src/report/trace.js';
import { runCli, scratchDirectory } from '../demo/cli/run-cli.js';
import { makeTelemetry } from '../report/fixture.js';
import { makeJobTrace } from '../report/trace-fixture.js';

const folder = scratchDirectory();
const at = (name: string): string => join(folder, name);
const telemetry = makeTelemetry(1);
const text = JSON.stringify(telemetry);
const good = at('run.json');
writeFileSync(good, text);

describe('frame-deadline report', () => {
  it('writes the HTML beside the file, and a CSV file, as a whole', async () => {
    const { status, stdout, stderr } = await runCli(['report', good, '--csv', at('run.csv'), '--title', 'A < B']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(`16 of 600 frames missed their deadline.\n${at('run.html')}\n${at('run.csv')}\n`);
    const page = readFileSync(at('run.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toMatch(/<\/html>\n$/);
    expect(page).toContain('<h1>A &lt; B</h1>');
    expect(readFileSync(at('run.csv'), 'utf8').split('\r\n')).toHaveLength(telemetry.frames.length + 2);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    // its own files it writes anew
    expect((await runCli(['report', good, '--csv', at('run.csv')])).status).toBe(0);
    expect(readFileSync(at('run.html'), 'utf8')).toContain('<h1>Frame deadlines</h1>');
  });

  it('reads a report that holds telemetry, a log and a trace', async () => {
    writeFileSync(at('demo.json'), JSON.stringify({ schemaVersion: 1, lanes: {}, telemetry }, null, 2));
    writeFileSync(at('latencies.hlog'), hlogText([telemetry]));
    writeFileSync(at('trace.json'), chromeTrace(makeJobTrace(120)));
    for (const [file, words, warning] of [
      ['demo.json', 'low1Integral', /^$/],
      ['latencies.hlog', 'Made from an HdrHistogram log', /^frame-deadline: Made from an HdrHistogram log.*\n$/],
      ['trace.json', 'Made from a trace', /^frame-deadline: Made from a trace.*\n$/],
    ] as const) {
      const { status, stdout, stderr } = await runCli(['report', at(file), '--out', '-']);
      expect(status).toBe(0);
      expect(stderr).toMatch(warning);
      expect(stdout.includes(words), file).toBe(true);
      expect(stdout).toMatch(/<\/html>\n$/);
    }
  });

  it('says of a log what is not in it, and where it was cut', async () => {
    const log = hlogText([telemetry]);
    writeFileSync(at('whole.hlog'), log);
    const whole = await runCli(['report', at('whole.hlog')]);
    expect(whole.status).toBe(0);
    expect(whole.stderr).toMatch(/dropped ticks.*not in it\.\n$/);
    expect(whole.stdout).toMatch(
      /^\d+ of \d+ frames in the log took longer than their deadline; frames that were dropped are not in a log\.\n/,
    );
    writeFileSync(at('cut.hlog'), log.slice(0, -20));
    const cut = await runCli(['report', at('cut.hlog')]);
    expect(cut.status).toBe(0);
    expect(cut.stderr).toMatch(/Line \d+ was cut off and is left out\.\n$/);
    const compared = await runCli(['compare', at('whole.hlog'), at('cut.hlog')]);
    expect(compared.stderr).toMatch(/ B: .*Line \d+ was cut off and is left out\.\n$/);
  });

  it('writes over nothing that it did not write, unless told to', async () => {
    writeFileSync(at('notes.html'), '<p>mine</p>');
    const refused = await runCli(['report', good, '--out', at('notes.html')]);
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /notes\.html is there and was not written by this command.*--force.*\[OUTPUT_UNWRITABLE\]/,
    );
    expect(readFileSync(at('notes.html'), 'utf8')).toBe('<p>mine</p>');
    const csv = await runCli(['report', good, '--out', at('new.html'), '--csv', at('notes.html')]);
    expect(csv.status).toBe(1);
    expect(existsSync(at('new.html'))).toBe(false);
    expect((await runCli(['report', good, '--out', at('notes.html'), '--force'])).status).toBe(0);
    expect(readFileSync(at('notes.html'), 'utf8')).toMatch(/^<!doctype html>/);
    const itself = await runCli(['report', good, '--out', good, '--force']);
    expect(itself.stderr).toMatch(/is the file that is read/);
    expect(readFileSync(good, 'utf8')).toBe(text);
  });

  it('writes through a link, and to what is no file', async () => {
    symlinkSync(at('linked.html'), at('link.html'));
    writeFileSync(at('linked.html'), '');
    expect((await runCli(['report', good, '--out', at('link.html')])).status).toBe(0);
    expect(statSync(at('linked.html')).size).toBeGreaterThan(100_000);
    if (existsSync('/dev/null')) expect((await runCli(['report', good, '--out', '/dev/null'])).status).toBe(0);
  });

  mkdirSync(at('folder'));
  writeFileSync(at('empty.json'), '');
  writeFileSync(at('cut.json'), text.slice(0, 5000));
  writeFileSync(at('cut-trace.json'), chromeTrace(makeJobTrace(60)).slice(0, 5000));
  writeFileSync(at('other.json'), '{"name":"other"}');
  writeFileSync(at('newer.json'), text.replace('"schemaVersion":1', '"schemaVersion":9'));
  writeFileSync(at('broken.hlog'), '#[StartTime: 1 (seconds since epoch), x]\nTag=a.b,1,2\n3\n');
  writeFileSync(at('binary.json'), new Uint8Array([0, 1, 2, 3]));
  it.each([
    [['nothing.json'], 1, /nothing\.json \(there is no such file\).*FILE_UNREADABLE/],
    [['folder'], 1, /it is a folder.*FILE_UNREADABLE/],
    [['empty.json'], 1, /empty\.json is empty.*TELEMETRY_FILE_INVALID/],
    [['cut.json'], 1, /cut\.json cannot be read as JSON.*was cut.*TELEMETRY_FILE_INVALID/],
    [
      ['cut-trace.json'],
      1,
      /cut-trace\.json: the trace cannot be read as JSON.*cut or damaged.*TELEMETRY_FILE_INVALID/,
    ],
    [['other.json'], 1, /holds no telemetry.*TELEMETRY_FILE_INVALID/],
    [['newer.json'], 1, /schemaVersion 9, 1 expected; read it with the newer/],
    [['broken.hlog'], 1, /broken\.hlog: line \d of the log.*TELEMETRY_FILE_INVALID/],
    [['binary.json'], 1, /binary\.json is no text/],
    [['run.json', '--out', 'folder'], 1, /it is a folder|is there/],
    [['run.json', '--out', 'no/such/folder.html'], 1, /its folder does not exist.*OUTPUT_UNWRITABLE/],
    [[], 2, /no file given.*report --help/],
    [['run.json', 'more.json'], 2, /2 files given, one expected/],
    [['run.json', '--out', ''], 2, /--out "" given/],
    [['run.json', '--out', 'same', '--csv', 'same'], 2, /name the same file/],
    [['run.json', '--colour'], 2, /--colour/],
  ])('%j ends with status %i and a clear word', async (args, status, message) => {
    // names of files are in the folder, options and what is empty are not
    const inFolder = args.map((arg) => (arg === '' || arg.startsWith('--') ? arg : at(arg)));
    const before = readdirSync(folder);
    const result = await runCli(['report', ...inFolder]);
    expect(result.status).toBe(status);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(message);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe('frame-deadline compare', () => {
  const other = at('other-run.json');
  writeFileSync(
    other,
    JSON.stringify({
      ...telemetry,
      lanes: telemetry.lanes.map((lane) => ({
        ...lane,
        tasks: lane.tasks.map((task) => ({ ...task, misses: task.misses + 300 })),
      })),
    }),
  );

  it('marks what differs, in words', async () => {
    const { status, stdout, stderr } = await runCli(['compare', good, other]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/B against A: \d worse, 0 better\./);
    expect(stdout).toMatch(/lane input\n.*\nmissed +0\.070 % +3\.07 % +\+3\.00 pp {2}! worse/);
    expect(stdout).toMatch(/Newcombe/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100 + folder.length);
  });

  it('marks nothing between a run and its own log', async () => {
    writeFileSync(at('own.hlog'), hlogText([telemetry]));
    const { status, stdout } = await runCli(['compare', good, at('own.hlog')]);
    expect(status).toBe(0);
    expect(stdout).toContain('No difference that matters.');
    expect(stdout).toContain('Not known in B: workers');
    expect(stdout).not.toContain('Not the same conditions');
    expect(stdout).toMatch(/loop 0 at 60 Hz\n.*\nmissed +2\.67 % +– +– not comparable/);
  });

  it('prints JSON, and every figure if asked to', async () => {
    const { stdout } = await runCli(['compare', good, good, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, better: 0, worse: 0 });
    const short = await runCli(['compare', good, good]);
    const long = await runCli(['compare', good, good, '--all']);
    expect(short.stdout).toContain('No difference that matters.');
    expect(long.stdout.length).toBeGreaterThan(2 * short.stdout.length);
    expect(long.stdout).toContain('wakeupUs p99.9');
  });

  it.each([
    [[], 2, /: no files given, two expected/],
    [[good], 2, /: one file given, two expected/],
    [[good, ''], 2, /"" given, the name of a file expected/],
    [[good, good, good], 2, /3 files given, two expected/],
    [[good, at('nothing.json')], 1, /there is no such file/],
    [[at('cut.json'), good], 1, /was cut/],
  ])('%j: clear word', async (args, status, message) => {
    const result = await runCli(['compare', ...args]);
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr).toMatch(message);
  });
});
