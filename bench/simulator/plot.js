import { linePlot } from '../harness/plot.js';

/** Below it a rate is drawn at the axis: about one frame of a run. */
const FLOOR_PERCENT = 0.01;

/** Frames missed at 240 Hz by the work of a frame. */
export function missPlot(series) {
  const shown = series.map(({ label, points }) => ({
    label: label.replace('nothing in the way', 'undisturbed').replace('GC, other processes', 'disturbed'),
    points: points.map(([ms, percent]) => [ms, Math.max(percent, FLOOR_PERCENT)]),
  }));
  return linePlot(
    `SIMULATED: frames missed at 240 Hz (${FLOOR_PERCENT} %: none)`,
    'work of a frame, ms',
    '% of the frames',
    shown,
  );
}
