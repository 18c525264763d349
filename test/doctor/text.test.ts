import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cells } from '../../src/cli/demo/terminal/spans.js';
import type { Measurement } from '../../src/cli/doctor/measure/measure.js';
import { summarizePhase } from '../../src/cli/doctor/measure/phase.js';
import { parseDoctorOptions } from '../../src/cli/doctor/options.js';
import { makeReport } from '../../src/cli/doctor/report.js';
import { renderReport } from '../../src/cli/doctor/text/render.js';
import { wrap } from '../../src/cli/doctor/text/wrap.js';
import type { Priority, ThreadReport } from '../../src/host/thread-control.js';
import { MACHINE } from './facts.js';

const thread = (requested: Priority, effective: Priority, reason: string | null = null): ThreadReport => ({
  threadId: 7,
  priority: { requested, effective, mechanism: null, reason },
  niceness: 0,
  policy: 'SCHED_OTHER',
  cpus: { requested: null, effective: [0, 1], mechanism: null, reason: null },
  timerSlackNs: { requested: requested === 'normal' ? null : 1, effective: 1, mechanism: null, reason: null },
  leash: null,
});

const sample = { wakeupUs: 123, responseUs: 8200 };
const good = summarizePhase(2, [sample, sample], 16_667);
const bad = summarizePhase(4, [sample], 16_667);
const MEASUREMENT: Measurement = {
  levels: [
    { thread: thread('normal', 'normal'), withoutLoad: good, withLoad: bad },
    { thread: thread('high', 'high'), withoutLoad: good, withLoad: good },
    {
      thread: thread('realtime', 'high', 'sched_setscheduler: EPERM\x1b[2J; RLIMIT_RTPRIO is 0'),
      withoutLoad: null,
      withLoad: null,
    },
  ],
  hogs: 4,
  busyBeforePercent: 2,
  failure: null,
};
const HAPPENED = { stealPercent: 0, throttledPeriods: 0 };
const report = makeReport(MACHINE, MEASUREMENT, HAPPENED, 14.96, false);

describe('the report', () => {
  it('has verdicts, and advice for what was refused', () => {
    expect(report).toMatchObject({ schemaVersion: 1, interrupted: false, durationS: 15, verdict: { level: 'high' } });
    expect(report.levels.map(({ verdict }) => verdict)).toEqual(['alone', 'holds', 'refused']);
    expect(report.levels[2]!.howToGet[0]!.length).toBeGreaterThan(0);
    expect(report.levels[1]!.howToGet).toEqual([]);
    // as JSON has it
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('tells why nothing could be measured', () => {
    const levels = MEASUREMENT.levels.map(() => ({ thread: null, withoutLoad: null, withLoad: null }));
    const failed = makeReport(MACHINE, { ...MEASUREMENT, levels, hogs: 0, failure: 'no threads' }, HAPPENED, 1, true);
    expect(failed.verdict).toEqual({ level: null, text: 'Nothing could be measured: no threads' });
    expect(new Set(failed.levels.map(({ verdict }) => verdict))).toEqual(new Set(['unmeasured']));
    expect(renderReport(failed, 80, false).join('\n')).toContain('not measured');
  });

  it('as text: a table, reasons, advice, the verdict', () => {
    expect(renderReport(report, 120, false)).toEqual([
      '8 ms of work in every 16.7 ms: 2 frames alone, 4 beside 4 CPU hogs',
      '',
      'level    load  wake p50     p99  missed  verdict',
      'normal   none    123 µs  123 µs   0.0 %  only without load',
      '         hogs    123 µs  123 µs  75.0 %',
      'high     none    123 µs  123 µs   0.0 %  holds',
      '         hogs    123 µs  123 µs   0.0 %',
      'realtime refused',
      '',
      '!  realtime is refused: sched_setscheduler: EPERM; RLIMIT_RTPRIO is 0',
      '   > on a desktop: npm install dbus-native; sudo apt install rtkit (RealtimeKit then grants it without any setting)',
      '   > or the line `ada - rtprio 20` in /etc/security/limits.d/95-frame-deadline.conf, then log in again',
      '   > or as a systemd service: LimitRTPRIO=20',
      'ok native addon: loaded',
      'ok timer slack of high and realtime workers: 1 ns',
      'ok CPU governor: performance',
      'ok power: mains, no battery saver',
      'ok control group: no CPU quota',
      'ok CPUs: 4 allowed, room for 4 threads at once',
      'ok machine: 0 % of CPU time taken by its host',
      'ok other programs: CPUs 2 % busy before the run',
      'ok inspector: none attached',
      'ok autogroup: off, niceness counts everywhere',
      'ok clock: tsc',
      '',
      'Use high: it keeps its deadlines beside a load that takes every CPU.',
    ]);
  });

  it.each([40, 60, 79, 200])('fits %i columns, and loses nothing of a command', (columns) => {
    const lines = renderReport(report, columns, false);
    expect(lines.filter((line) => cells(line) > columns)).toEqual([]);
    const whole = lines.join('').replaceAll(' ', '');
    expect(whole).toContain('/etc/security/limits.d/95-frame-deadline.conf');
    expect(whole).toContain('onlywithoutload');
    expect(lines.join('\n')).not.toContain('\x1b');
    expect(renderReport(report, columns, true).join('\n')).toContain('\x1b[32m');
  });
});

describe('wrap', () => {
  it('keeps all that is not blank, in lines that fit', () => {
    const text = fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 30 }), { maxLength: 20 });
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 60 }), (words, columns) => {
        const lines = wrap(words.join(' '), columns);
        expect(lines.every((line) => cells(line) <= columns)).toBe(true);
        expect(lines.join('').replaceAll(/\s/g, '')).toBe(words.join('').replaceAll(/\s/g, ''));
      }),
    );
  });
});

describe('options', () => {
  it('defaults, and what was given', () => {
    expect(parseDoctorOptions([])).toEqual({ seconds: 15, addon: true, json: false });
    expect(parseDoctorOptions(['--seconds', '3.5', '--json', '--no-addon'])).toEqual({
      seconds: 3.5,
      addon: false,
      json: true,
    });
    expect(parseDoctorOptions(['-h'])).toBe('help');
  });
  it.each([['1'], ['21'], ['-1'], ['ten'], ['0x5'], ['']])('--seconds %j is wrong use', (seconds) => {
    expect(() => parseDoctorOptions(['--seconds', seconds])).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('from 2 to 20') }),
    );
  });
  it.each([[['--dance']], [['now']], [['--json=1']], [['--seconds']]])('%j is wrong use', (args) => {
    expect(() => parseDoctorOptions(args)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
