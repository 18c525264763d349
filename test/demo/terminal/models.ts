import fc from 'fast-check';
import type { LiveModel } from '../../../src/cli/demo/terminal/live-model.js';
import type { SummaryReport } from '../../../src/cli/demo/terminal/summary.js';

export const model: LiveModel = {
  lanes: [
    {
      name: 'audio',
      jobsPerSecond: 375,
      waitingUsP50: 18,
      waitingUsP99: 84,
      executionUsP50: 212,
      executionUsP99: 431,
      timeToDeadlineUsP1: 1904,
      misses: 0,
      missCauses: {},
    },
    {
      name: 'render',
      jobsPerSecond: 3600,
      waitingUsP50: 812,
      waitingUsP99: 9120,
      executionUsP50: 140,
      executionUsP99: 1290,
      timeToDeadlineUsP1: -3120,
      misses: 41,
      missCauses: { overrun: 2, waitingBehind: 30, gc: 0, preempted: 9 },
    },
  ],
  audio: { xruns: 0, bufferFillBlocks: 6, bufferBlocks: 8 },
  frames: { intended: 252, rendered: 249, missed: 5, recentFrameUs: [8000, 9000, 30_000, 7000], deadlineUs: 16_667 },
  workers: [
    { name: 'audio-1', priority: 'realtime', cpus: [0] },
    { name: 'render-1', priority: 'normal', cpus: [1, 2, 3, 5] },
  ],
  elapsedS: 4.2,
  totalS: 10,
};

const anyText = fc.oneof(
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('日本語の名前', '👩‍🚀 crew', 'a\x1b[2Jb', 'two\nlines', '\x9b31mred', 'é́é́', ''),
);
const anyFigure = fc.oneof(
  fc.double({ min: 0, max: 1e10, noNaN: true }),
  fc.nat(2000),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 999.7, 999_700, 1e12),
);
const anyCount = fc.oneof(fc.nat(100), fc.nat(), fc.constant(2 ** 40));
const anyCauses = fc.dictionary(fc.constantFrom('wakeup', 'waitingBehind', 'preempted', 'gc', 'overrun'), anyCount);

/** Models as no run would give them, too: every line must hold its width whatever comes. */
export const anyModel: fc.Arbitrary<LiveModel> = fc.record({
  lanes: fc.array(
    fc.record({
      name: anyText,
      jobsPerSecond: anyFigure,
      waitingUsP50: anyFigure,
      waitingUsP99: anyFigure,
      executionUsP50: anyFigure,
      executionUsP99: anyFigure,
      timeToDeadlineUsP1: fc.option(fc.double({ min: -1e9, max: 1e9, noNaN: true })),
      misses: anyCount,
      missCauses: anyCauses,
    }),
    { maxLength: 5 },
  ),
  audio: fc.record({ xruns: anyCount, bufferFillBlocks: fc.nat(600), bufferBlocks: fc.nat(512) }),
  frames: fc.record({
    intended: anyCount,
    rendered: anyCount,
    missed: anyCount,
    recentFrameUs: fc.array(anyFigure, { maxLength: 300 }),
    deadlineUs: fc.oneof(anyFigure, fc.constant(0)),
  }),
  workers: fc.array(fc.record({ name: anyText, priority: anyText, cpus: fc.array(fc.nat(300), { maxLength: 9 }) }), {
    maxLength: 6,
  }),
  elapsedS: fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constant(Number.NaN)),
  totalS: fc.double({ min: 0, max: 1e6, noNaN: true }),
});

const distribution = { p50: 120, p99: 1400, max: 31_200 };
export const report: SummaryReport = {
  interrupted: false,
  durationS: 10.02,
  lanes: {
    audio: {
      accepted: 3750,
      refused: 0,
      misses: 0,
      missCauses: { wakeup: 0 },
      deadlineMs: 2.67,
      queueingUs: distribution,
      executionUs: distribution,
      responseUs: distribution,
      tardinessUs: { p50: null, p99: null, max: null },
    },
    render: {
      accepted: 36_000,
      refused: 3,
      misses: 41,
      missCauses: { overrun: 11, waitingBehind: 30 },
      deadlineMs: 16.667,
      queueingUs: distribution,
      executionUs: distribution,
      responseUs: distribution,
      tardinessUs: distribution,
    },
  },
  frames: { intended: 600, rendered: 598, missed: 5, droppedTicks: 2 },
  audio: { file: null, sampleRateHz: 44_100, channels: 2, blocks: 3445, xruns: 0, identicalToOffline: true },
  input: { events: 10_012, applied: 10_012, latencyUs: { p50: 9100, p99: 16_900, max: 30_000 } },
  workers: [
    { name: 'audio-1', lanes: ['audio'], cpus: [0], priority: { effective: 'realtime' } },
    {
      name: 'render-1',
      lanes: ['input', 'render'],
      cpus: [],
      priority: { effective: 'normal', reason: 'EPERM: nice -10 is not allowed to this user' },
    },
  ],
  files: { sound: '/home/someone/a long folder name/out/demo.wav', report: 'out/report.json', picture: null },
};
