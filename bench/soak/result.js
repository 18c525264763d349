import { panelPlot } from '../harness/panels.js';
import { figure } from '../harness/table.js';
import { LEAST_STOP_MS } from './machine-stops.js';
import { growth, missed } from './verdict.js';

// What a soak found, as a plot and as lines for docs/reliability.md.

const MIB = 1024 * 1024;

/** The plot as SVG. */
export function soakPlot({ samples, minutes }) {
  const line = (label, read) => ({ label, points: samples.map((sample) => [sample.atS / 60, read(sample)]) });
  const mib = (key) => (sample) => (sample[key] === null ? null : sample[key] / MIB);
  const lanes = Object.keys(samples[0]?.misses ?? {});
  return panelPlot(`Soak: the demo for ${figure(minutes)} minutes`, 'minutes', [
    {
      title: 'missed since the start: jobs of each lane, frames of the loop, xruns',
      series: [
        ...lanes.map((lane) => line(lane, ({ misses }) => misses[lane])),
        line('frames', ({ missedFrames }) => missedFrames),
        line('xruns', ({ xruns }) => xruns),
      ],
    },
    {
      title: 'a CPU stopped by the machine: longest since the last sample, ms',
      series: [line('stop', ({ longestStopMs }) => longestStopMs)],
    },
    { title: 'resident memory, MiB', series: [line('process', mib('rss'))] },
    {
      title: 'main thread, MiB',
      series: [line('heap', mib('heapUsed')), line('array buffers', mib('arrayBuffers'))],
    },
    {
      title: 'how many',
      series: ['threads', 'files', 'handles'].map((key) => line(key, (sample) => sample[key])),
    },
  ]);
}

/** The section as Markdown, its heading included. */
export function soakSection(soak) {
  const { samples, minutes, command, machine, report, faults } = soak;
  // without its builder's suffix
  const [kernel] = machine.kernel.split('-');
  const lines = [
    '## Soak',
    '',
    `\`${command}\``,
    `runs the demo and looks at it every ${figure(soak.everyMs / 1000)} s: misses and xruns by the telemetry socket, memory, threads and files`,
    'from outside. It fails if anything grows or more is missed than is allowed (`--max-xruns`, `--max-miss-percent`). On',
    `${machine.cpu}, ${machine.cores} CPUs, ${kernel}, Node.js ${machine.node}, ${figure(minutes)} minutes:`,
    '',
    '| | missed | of | share |',
    '|---|---|---|---|',
  ];
  for (const { what, misses, of } of report === null ? [] : missed(report)) {
    lines.push(`| ${what} | ${figure(misses)} | ${figure(of)} | ${figure((100 * misses) / Math.max(of, 1))} % |`);
  }
  if (report !== null) {
    const { blocks, xruns, identicalToOffline } = report.audio;
    lines.push(`| xruns | ${figure(xruns)} | ${figure(blocks)} | ${figure((100 * xruns) / Math.max(blocks, 1))} % |`);
    lines.push('', `The sound is ${SOUND.get(identicalToOffline)}. ${priorities(report)}`);
  }
  lines.push('', stopsOf(samples));
  lines.push('', '| | at the beginning | at the end | |', '|---|---|---|---|');
  for (const { what, unit, from, to } of growth(samples)) {
    lines.push(`| ${what} | ${figure(from)} | ${figure(to)} | ${unit} |`);
  }
  lines.push('', `${faults.length === 0 ? 'Nothing grew.' : `Found: ${faults.join('; ')}.`}`);
  if (samples.every(({ rss }) => rss === null))
    lines.push('There is no /proc here: memory, threads and files unknown.');
  lines.push('', '![Misses, memory, threads and open files over time](plots/soak.svg)', '');
  return lines.join('\n');
}

/** What the machine did to the demo, a sentence. */
export function stopsOf(samples) {
  const seen = samples.filter(({ stops }) => typeof stops === 'number');
  if (seen.length === 0)
    return 'Whether the machine stopped its CPUs was not seen: no C compiler, or no right to SCHED_FIFO.';
  const stops = seen.reduce((sum, sample) => sum + sample.stops, 0);
  const longestMs = Math.max(...seen.map(({ longestStopMs }) => longestStopMs));
  return `The machine itself stopped a CPU ${figure(stops)} times for ${LEAST_STOP_MS} ms or more, ${figure(longestMs)} ms at most: threads outside of the demo, above all others, saw it.`;
}

const SOUND = new Map([
  [true, 'bit-identical to the offline rendering'],
  [false, 'not that of the offline rendering'],
  [null, 'not compared, since silence was played'],
]);

function priorities({ workers }) {
  const inForce = workers.map(({ name, priority }) => `${name} ${priority.effective}`);
  return `Priorities in force: ${inForce.join(', ')}.`;
}

/** `text` with its section of the same heading replaced, or with the section at its end. */
export function withSection(text, section) {
  const heading = section.slice(0, section.indexOf('\n'));
  const start = `\n${text}`.indexOf(`\n${heading}\n`);
  if (start < 0) return `${text.trimEnd()}\n\n${section}`;
  const next = text.indexOf('\n## ', start + 1);
  return next < 0 ? text.slice(0, start) + section : `${text.slice(0, start)}${section}${text.slice(next)}`;
}
