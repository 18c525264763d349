import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SCRIPT_HASH, STYLE_HASH } from '../../src/report/html/content-hashes.js';
import { type HtmlReportOptions, htmlReport } from '../../src/report/html/html-report.js';
import { escapeHtml, html, jsonForScript } from '../../src/report/html/markup.js';
import { SCRIPT } from '../../src/report/html/script.js';
import { STYLE } from '../../src/report/html/style.js';
import { verdictOf } from '../../src/report/html/verdict.js';
import type { Lack, Source } from '../../src/report/lacks.js';
import { MISS_CAUSES } from '../../src/telemetry/outcomes.js';
import type { FrameRecord, Miss, Telemetry } from '../../src/telemetry/telemetry-data.js';
import { makeTelemetry } from './fixture.js';
import { HOSTILE_NAMES, withNames } from './hostile.js';

const telemetry = makeTelemetry(1);

/** The page without style and script, which have their own test. */
function bodyOf(page: string): string {
  return page.replace(/<(style|script)[^>]*>.*?<\/\1>/gs, '');
}

/** All tags with their attributes' names: what names could not change if each `<`, `>` and quote of theirs is escaped. */
function structure(page: string): string {
  return [...bodyOf(page).matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/="[^"]*"/g, '')).join('\n');
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" };

/** What is read, with white space made one. */
function textOf(page: string): string {
  const text = bodyOf(page).replace(/<[^>]*>/g, '');
  return text.replace(/&(lt|gt|amp|quot|#39);/g, (_, name) => ENTITIES[name]!).replace(/\s+/g, ' ');
}

const sha256 = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

describe('htmlReport', () => {
  it('lets only its own style and script run: write these hashes to content-hashes.ts', () => {
    expect(STYLE_HASH).toBe(sha256(STYLE));
    expect(SCRIPT_HASH).toBe(sha256(SCRIPT));
    const page = htmlReport(telemetry);
    expect(page).toContain(escapeHtml(`default-src 'none'; style-src '${STYLE_HASH}'; script-src '${SCRIPT_HASH}';`));
    expect(page.includes(`<style>${STYLE}</style>`)).toBe(true);
    expect(page.includes(`<script>${SCRIPT}</script>`)).toBe(true);
    expect(/ style=|javascript:|https?:|@import|url\(/.exec(page)).toBeNull();
  });

  it('gives the verdict in words, and the counts of the telemetry', () => {
    const { headline, details } = verdictOf(telemetry);
    expect(headline).toBe('16 of 600 frames missed their deadline.');
    expect(details[0]).toMatch(/^Most often: overrun \(7 of 16\)/);
    expect(details.join(' ')).toMatch(/Lane input: 7 of .*waiting behind \(3\), render\.composite/);
    const text = textOf(htmlReport(telemetry, { title: 'My run' }));
    expect(text).toContain(headline);
    expect(text).toContain('My run');
    for (const lane of telemetry.lanes)
      for (const task of lane.tasks) expect(text).toContain(`${lane.name}.${task.name}`);
    for (const worker of telemetry.workers) expect(text).toContain(worker.name);
    expect(text).toContain('low1Percentile');
    expect(text).toContain('low1Integral');
  });

  it('names signals that are missing, with the reason, in the misses concerned', () => {
    const missing = telemetry.misses.filter(({ segments }) => Object.values(segments).includes(null));
    expect(missing.length).toBeGreaterThan(0);
    const text = textOf(htmlReport(telemetry));
    expect(text.match(/no signal here: /g)!.length).toBeGreaterThanOrEqual(missing.length);
    expect(text).toContain('no signal here: /proc/thread-self/schedstat cannot be read');
  });

  it('tells that all is well where nothing was missed, and that nothing ran', () => {
    const none = Object.fromEntries(MISS_CAUSES.map((cause) => [cause, 0])) as Record<
      (typeof MISS_CAUSES)[number],
      number
    >;
    const well: Telemetry = {
      ...telemetry,
      misses: [],
      lanes: telemetry.lanes.map((lane) => ({
        ...lane,
        tasks: lane.tasks.map((task) => ({ ...task, misses: 0, missCauses: none })),
      })),
      loops: telemetry.loops.map((loop) => ({
        ...loop,
        missedFrames: 0,
        droppedTicks: 0,
        intendedTicks: 596,
        droppedCauses: none,
      })),
    };
    expect(verdictOf(well)).toMatchObject({ ok: true, headline: 'All 596 frames met their deadline.' });
    expect(textOf(htmlReport(well))).toContain('No deadline was missed.');
    const nothing: Telemetry = { ...well, lanes: [], loops: [], workers: [], frames: [] };
    expect(verdictOf(nothing).headline).toBe('Nothing ran.');
    expect(textOf(htmlReport(nothing))).toContain('No frames were recorded.');
    const noLoop: Telemetry = { ...telemetry, loops: [], frames: [] };
    expect(verdictOf(noLoop).headline).toMatch(/^137 of 16.?728 jobs missed their deadline\.$/);
  });

  it('refuses an option that it does not know', () => {
    const misspelt = { Title: 'My run' } as HtmlReportOptions;
    expect(() => htmlReport(telemetry, misspelt)).toThrow(/unknown option "Title".*OPTION_INVALID/);
  });

  it.each(HOSTILE_NAMES)('escapes names: %s', (name) => {
    const harmless = structure(htmlReport(withNames(telemetry, 'harmless'), { title: 'harmless', note: 'harmless' }));
    const page = htmlReport(withNames(telemetry, name), { title: name, note: name });
    expect(structure(page) === harmless).toBe(true);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u202a-\u202e]/.test(page)).toBe(false);
    const data = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(page)![1]!;
    expect(JSON.parse(data).misses[0]).toBe(`${name}.${name}`.replaceAll('\u202e', '\ufffd'));
    expect(data).not.toContain('<');
  });

  it('stays small and quick with 4096 frames and 256 misses', () => {
    const frames: FrameRecord[] = Array.from({ length: 4096 }, (_, n) => {
      const frame = telemetry.frames[n % telemetry.frames.length]!;
      const shift = n * 16_667 - frame.tickAtUs;
      const at = (us: number | null) => (us === null ? null : us + shift + (n % 7));
      return {
        ...frame,
        number: n,
        tickAtUs: frame.tickAtUs + shift,
        calledAtUs: at(frame.calledAtUs),
        submittedAtUs: at(frame.submittedAtUs),
        finishedAtUs: at(frame.finishedAtUs),
        deadlineAtUs: frame.deadlineAtUs + shift,
      };
    });
    const misses: Miss[] = Array.from({ length: 256 }, (_, n) => ({
      ...telemetry.misses[n % telemetry.misses.length]!,
      frame: n * 16,
    }));
    const page = htmlReport({ ...telemetry, frames, misses });
    expect(Buffer.byteLength(page)).toBeLessThan(450_000);
    expect(page.match(/<details /g)).toHaveLength(256);
  });

  it('has headings in order, and names for what scrolls', () => {
    const page = htmlReport(telemetry);
    const levels = [...page.matchAll(/<h(\d)/g)].map((match) => Number(match[1]));
    expect(levels[0]).toBe(1);
    expect(levels.every((level, n) => level <= (levels[n - 1] ?? 1) + 2)).toBe(true);
    for (const [region] of page.matchAll(/<div [^>]*tabindex="0"[^>]*>/g)) expect(region).toMatch(/aria-label/);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of page.matchAll(/(?:href="#|aria-labelledby=")([^"]+)"/g)) expect(ids).toContain(id);
  });
});

describe('markup', () => {
  it('escapes what is not markup', () => {
    expect(html`<b title="${'"<\''}">${['a<', html`<i>${1}</i>`, null]}</b>`.text).toBe(
      '<b title="&quot;&lt;&#39;">a&lt;<i>1</i></b>',
    );
    expect(escapeHtml('&amp;')).toBe('&amp;amp;');
    expect(jsonForScript({ a: '</script><!--' }).text).toBe('{"a":"\\u003c/script>\\u003c!--"}');
  });
});

describe('a report of what cannot hold all misses', () => {
  const log: Source = { name: 'log', lacks: new Set<Lack>(['droppedTicks', 'unstartedJobs', 'refusedJobs']) };

  it('says so in the headline, and shows no count for what is not in it', () => {
    const late = { ...telemetry, loops: telemetry.loops.map((loop) => ({ ...loop, droppedTicks: 0 })) };
    const count = late.loops.reduce((sum, loop) => sum + loop.missedFrames, 0);
    const { headline } = verdictOf(late, log);
    expect(headline).toBe(
      `${count} of 600 frames in the log took longer than their deadline; frames that were dropped are not in a log.`,
    );
    const page = textOf(htmlReport(late, { source: log }));
    expect(page).toContain(headline);
    expect(page).toMatch(/late, dropped\s*\d+, –/);
    expect(page).toMatch(/refused\s*–/);
    // ticks, dropped and missed % of the loop; missed %, submitted and refused of tasks
    const dashes = (markup: string, table: string): number =>
      markup.split(`id="${table}"`)[1]!.split('</table>')[0]!.split('>–<').length - 1;
    const [ofLog, ofWhole] = [htmlReport(late, { source: log }), htmlReport(late)];
    expect(dashes(ofLog, 't-loops') - dashes(ofWhole, 't-loops')).toBe(3);
    const tasks = late.lanes.flatMap((lane) => lane.tasks).length;
    expect(dashes(ofLog, 't-tasks') - dashes(ofWhole, 't-tasks')).toBe(3 * tasks);
    const well = { ...late, loops: late.loops.map((loop) => ({ ...loop, missedFrames: 0 })) };
    expect(verdictOf(well, log).headline).toBe(
      'All 600 frames in the log took no longer than their deadline; frames that were dropped are not in a log.',
    );
    expect(verdictOf({ ...late, loops: [] }, log).headline).toMatch(
      /jobs in the log took longer than their deadline; jobs that never ran are not in a log\.$/,
    );
    const foreign: Source = { name: 'log', lacks: new Set<Lack>([...log.lacks, 'deadlines']) };
    expect(verdictOf({ ...late, loops: [] }, foreign).headline).toMatch(/jobs in the log; deadlines are not in it\.$/);
  });
});
