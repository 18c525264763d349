import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FrameDeadlineError } from '../../src/base/errors.js';
import { renderLiveView, renderPlainLine } from '../../src/cli/demo/terminal/live-view.js';
import { truncate } from '../../src/cli/demo/terminal/spans.js';
import { renderSummary } from '../../src/cli/demo/terminal/summary.js';
import { renderReport } from '../../src/cli/doctor/text/render.js';
import { printable, printableJson } from '../../src/cli/printable.js';
import { errorText } from '../../src/cli/usage.js';
import { htmlReport } from '../../src/report/html/html-report.js';
import { metricsOf } from '../../src/report/opentelemetry-metrics.js';
import { prometheusText } from '../../src/report/prometheus-metrics.js';
import { connectTelemetry } from '../../src/report/telemetry-client.js';
import { runCli, scratchDirectory } from '../demo/cli/run-cli.js';
import { report as demoReport, model as liveModel } from '../demo/terminal/models.js';
import { makeTelemetry } from '../report/fixture.js';
import { HOSTILE_NAMES, withNames } from '../report/hostile.js';

/** What a name or an error could do to a terminal, and to whatever shows it. */
const TEXTS = [
  '\u001b]0;another title\u0007',
  '\u001b[2J\u001b[1;1H\u001b[31mred',
  '\u009b31mred by C1\u009d0;title\u009c',
  '\u001b]8;;http://evil.example\u001b\\click me\u001b]8;;\u001b\\',
  '\u001b]52;c;Y29weQ==',
  '\u001bP1$r0m\u001b\\',
  'safe\rhidden\u0008\u0008\u0008',
  'one\nfrank: two\r\n\u2028three\u0085four',
  '\u202eexe.gnp\u2066\u061c\u200f',
  '\u0000\u007f',
  `a${'\u0301'.repeat(50_000)}`,
  'x'.repeat(50_000),
  'javascript:alert(1)//',
  '\ud800',
  '__proto__',
  '{"a":1}\n# HELP forged forged\nforged_total 1',
  ...HOSTILE_NAMES,
];
const ALL = TEXTS.filter((text) => text.length < 10_000).join(' ');
/** But for line feeds, which our own lines end with. */
const UNSAFE = /[^\P{Cc}\n]|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const telemetry = makeTelemetry(1);
const folder = scratchDirectory();
const servers: Server[] = [];
let paths = 0;

afterAll(() => {
  for (const server of servers) server.close();
});

/** Stands for lists in lists that `JSON.stringify` cannot write. */
const DEEP = '@deep';

/** Somebody else's server at a path: what it says to each line, the first one for the connection. */
async function serverThat(says: (line: string | null, socket: Socket) => string): Promise<string> {
  const path = join(folder, `s${paths++}`);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(says(null, socket));
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n').filter(Boolean)) socket.write(says(line, socket));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return path;
}

const greeting = (name: string): string =>
  `${JSON.stringify({ frameDeadline: 'telemetry', protocol: 1, pid: 1, name })}\n`;

function answering(name: string, changes: Record<string, unknown> = {}): Promise<string> {
  const streams = [{ name, kind: 'f32', underruns: 1, overruns: 0, missingItems: 0, droppedItems: 0 }];
  return serverThat((line) => {
    if (line === null) return greeting(name);
    const { id } = JSON.parse(line) as { id: number };
    const text = JSON.stringify({ id, telemetry: withNames(telemetry, name), streams, ...changes });
    return `${text.replace(JSON.stringify(DEEP), '['.repeat(20_000) + ']'.repeat(20_000))}\n`;
  });
}

describe('texts from outside on a terminal', () => {
  it('printable: one line without controls, whatever it is', () => {
    for (const text of TEXTS) {
      expect(printable(text)).not.toMatch(UNSAFE);
      expect(printable(text)).not.toContain('\n');
      expect(truncate(printable(text), 24).length).toBeLessThanOrEqual(24 * 32 + 1);
    }
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(UNSAFE);
        expect(errorText(new Error(text))).not.toMatch(UNSAFE);
        const shown = errorText(new FrameDeadlineError('USAGE', text));
        expect(shown).not.toMatch(UNSAFE);
        expect(shown.match(/\n/g)).toHaveLength(1);
        const json = printableJson({ [text]: [text] }, 2);
        expect(json).not.toMatch(UNSAFE);
        expect(JSON.parse(json)).toEqual({ [text]: [text] });
      }),
      { numRuns: 500 },
    );
  });

  it('top: names of the app, its lanes, tasks, workers and streams, in words and as JSON', async () => {
    const path = await answering(ALL);
    const words = await runCli(['top', path, '--once', '--every', '100']);
    expect([words.status, words.stderr]).toEqual([0, '']);
    expect(words.stdout).not.toMatch(UNSAFE);
    expect(words.stdout.split('\n').length).toBeLessThan(20);
    const json = await runCli(['top', path, '--once', '--json', '--every', '100']);
    expect(json.stdout).not.toMatch(UNSAFE);
    const model = JSON.parse(json.stdout) as { process: { name: string }; lanes: { name: string }[] };
    expect(model.process.name).toBe(ALL);
    expect(model.lanes[0]!.name).toBe(ALL);
  });

  it('top: errors that the socket sends', async () => {
    for (const text of [ALL, TEXTS[0]!, TEXTS[2]!]) {
      const error = { id: null, error: { code: text, message: text } };
      const path = await serverThat(() => `${JSON.stringify(error)}\n`);
      const { status, stdout, stderr } = await runCli(['top', path, '--once']);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).not.toMatch(UNSAFE);
      expect(stderr.match(/\n/g)).toHaveLength(1);
      const later = await serverThat((line) =>
        line === null ? greeting(text) : `${JSON.stringify({ ...error, id: 1 })}\n`,
      );
      const second = await runCli(['top', later, '--once']);
      expect(second.status).not.toBe(0);
      expect(second.stderr).not.toMatch(UNSAFE);
    }
  });

  it('report and compare: names in the file, and what an error quotes of it', async () => {
    const good = join(folder, 'good.json');
    writeFileSync(good, JSON.stringify(withNames(telemetry, ALL)));
    const report = await runCli(['report', good]);
    expect(report.status).toBe(0);
    expect(report.stdout).not.toMatch(UNSAFE);
    expect(readFileSync(join(folder, 'good.html'), 'utf8')).not.toMatch(
      /[^\P{Cc}\n\r\t]|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u,
    );
    for (const more of [[], ['--json'], ['--all']]) {
      const compared = await runCli(['compare', good, good, ...more]);
      expect([compared.status, compared.stderr]).toEqual([0, '']);
      expect(compared.stdout).not.toMatch(UNSAFE);
    }
    for (const [index, text] of TEXTS.filter((one) => one.length < 10_000).entries()) {
      const bad = join(folder, `bad${index}.json`);
      writeFileSync(bad, index % 2 === 0 ? `{"schemaVersion":1,${text}` : JSON.stringify({ schemaVersion: text }));
      const { status, stdout, stderr } = await runCli(['report', bad]);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).not.toMatch(UNSAFE);
      expect(stderr.match(/\n/g)).toHaveLength(1);
    }
  }, 120_000);

  it('demo, doctor and others: file names, arguments and what files hold', async () => {
    const name = join(folder, '\u001b[31m\u009b2J\u202e');
    mkdirSync(name);
    writeFileSync(join(name, 'a.wav'), 'RIFF\u001b[2J\u009b31m nothing');
    writeFileSync(join(name, 'events.jsonl'), '{"type":"\u001b[31m\u009b2J","timeUs":0}\n');
    const commands = [
      ['demo', '--audio', join(name, 'a.wav'), '--out', join(folder, 'out')],
      ['demo', '--events', join(name, 'events.jsonl'), '--offline', '--out', join(folder, 'out')],
      ['demo', '--out', join(name, 'a.wav', 'x')],
      ['demo', '\u001b[31m'],
      ['doctor', '--\u001b[31m\u009b2J'],
      ['report', join(name, 'none')],
      ['report', join(name, 'a.wav'), '--\u202e'],
      ['compare', join(name, 'a.wav'), join(name, 'none')],
      ['top', join(name, 'none')],
      ['\u001b[31m\u009b2J'],
    ];
    for (const args of commands) {
      const { status, stderr } = await runCli(args);
      expect([args, status === 1 || status === 2]).toEqual([args, true]);
      expect(stderr.length).toBeGreaterThan(10);
      expect(stderr).not.toMatch(UNSAFE);
    }
  }, 120_000);

  it('pictures: every text of a model, replaced', () => {
    const model = replaced(liveModel, ALL);
    for (const columns of [20, 80, 200]) {
      for (const line of renderLiveView(model, { columns, rows: 60, colour: false })) {
        expect(line).not.toMatch(UNSAFE);
        expect(line).not.toContain('\n');
      }
    }
    expect(renderPlainLine(model)).not.toMatch(UNSAFE);
    const { workers, audio, lanes } = demoReport;
    const named = { ...demoReport, workers: replaced(workers, ALL), audio: { ...audio, file: ALL } };
    for (const line of renderSummary({ ...named, lanes: { ...lanes, [ALL]: lanes['render']! } }, 80)) {
      expect(line).not.toMatch(UNSAFE);
    }
    const report = {
      levels: [],
      findings: [{ id: 'x', status: 'problem' as const, text: ALL, fix: ALL }],
      conditions: { workMs: 8, periodMs: 16.7, cpuHogs: 1, busyBeforePercent: null },
      verdict: { level: null, text: ALL },
    };
    for (const line of renderReport(report as never, 80, false)) expect(line).not.toMatch(UNSAFE);
  });
});

/** A copy with all of its texts as this one; its keys stay. */
function replaced<T>(value: T, text: string): T {
  if (typeof value === 'string') return text as T;
  if (Array.isArray(value)) return value.map((item) => replaced(item, text)) as T;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaced(item, text)])) as T;
}

describe('texts from outside for machines', () => {
  it('Prometheus: a name is one label value, no line and no series more', () => {
    const shape = (name: string, format: 'prometheus' | 'openmetrics'): string[] =>
      prometheusText(withNames(telemetry, name), format)
        .split('\n')
        .map((line) => line.replace(/"(?:[^"\\]|\\.)*"/g, '""'));
    for (const text of TEXTS) {
      for (const format of ['prometheus', 'openmetrics'] as const) {
        expect(shape(text, format), text.slice(0, 50)).toEqual(shape('harmless', format));
      }
    }
    const values = [...prometheusText(withNames(telemetry, ALL)).matchAll(/worker="((?:[^"\\]|\\.)*)"/g)];
    const unescaped = values[0]![1]!.replace(/\\(.)/g, (_, of: string) => (of === 'n' ? '\n' : of));
    expect(unescaped).toBe(ALL);
  });

  it('OpenTelemetry: attributes hold it as it is, and no others come of it', () => {
    const keys = (name: string): string[][] =>
      metricsOf(withNames(telemetry, name), 0, 'cumulative').flatMap(({ dataPoints }) =>
        dataPoints.map(({ attributes }) => Object.keys(attributes)),
      );
    for (const text of TEXTS) expect(keys(text)).toEqual(keys('harmless'));
  });

  it('HTML: no name becomes an address, an attribute or a script', () => {
    for (const text of TEXTS.filter((one) => one.length < 10_000)) {
      const page = htmlReport(withNames(telemetry, text), { title: text, note: text });
      expect(page).not.toMatch(/\s(?:href|src|action|formaction|xlink:href)\s*=\s*["']?\s*javascript:/i);
      const bare = page.replace(/=\s*"[^"]*"/g, '=""');
      const attributes = [...bare.matchAll(/<[a-z][^>]*?\s(on[a-z]+)\s*=/gi)].map(([, name]) => name);
      expect(attributes).toEqual([]);
      expect(page.match(/<script/g)).toEqual(htmlReport(telemetry).match(/<script/g));
    }
  });
});

describe('somebody else at the path of a telemetry socket', () => {
  it('sends without end and says nothing: the client gives up, with what it keeps bounded', async () => {
    const path = await serverThat((_, socket) => {
      const chunk = 'x'.repeat(1 << 20);
      const go = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on('drain', go);
      go();
      return chunk;
    });
    const startMs = performance.now();
    await expect(connectTelemetry(path, { timeoutMs: 20_000 })).rejects.toThrow(/something else than telemetry/);
    // not by the time limit
    expect(performance.now() - startMs).toBeLessThan(15_000);
  });

  it('sends what is no telemetry: an error with a code, never another one', async () => {
    const wrong: Record<string, unknown>[] = [
      { telemetry: null },
      { telemetry: { schemaVersion: 1 } },
      { telemetry: { ...telemetry, lanes: [null] } },
      { streams: [null] },
      { streams: {} },
      { streams: [{ name: {}, kind: 'f32', underruns: 0, overruns: 0 }] },
      { streams: DEEP },
    ];
    for (const changes of wrong) {
      const path = await answering('app', changes);
      const client = await connectTelemetry(path);
      const error: unknown = await client.telemetry().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(FrameDeadlineError);
      client.close();
      const { status, stderr } = await runCli(['top', path, '--once', '--every', '100']);
      expect(status).toBe(1);
      expect(stderr).not.toMatch(/\n {4}at /);
    }
    for (const misses of [null, {}, [null], [{ lane: 1 }], DEEP]) {
      const client = await connectTelemetry(await answering('app', { misses }));
      await expect(client.misses()).rejects.toMatchObject({ code: 'TELEMETRY_UNREACHABLE' });
      client.close();
    }
  }, 120_000);
});
