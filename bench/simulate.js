import { row } from './harness/stats.js';
import { COSTS } from './simulator/constants.js';
import { LOAD, play, SCENARIOS } from './simulator/game.js';

export const describe = 'miss rates of a game on 4, 6 and 8 cores, SIMULATED: the real code on a virtual clock';

const CORES = [4, 6, 8];
const HZ = [60, 144, 240];
const WORK_US = 6000;
/** For the plot: work of a frame at 240 Hz, in milliseconds. */
const WORK_MS = [2, 4, 6, 8, 10, 12, 14, 16, 20, 24];

export async function run({ quick }) {
  const seconds = quick ? 2 : 10;
  const seeds = quick ? [1] : [1, 2, 3];
  const rows = [];
  const table = [];
  const series = [];
  for (const scenario of Object.keys(SCENARIOS)) {
    for (const hz of HZ) {
      for (const cores of CORES) {
        const found = [];
        for (const seed of seeds) {
          found.push(await play({ cores, hz, workUs: WORK_US, seconds, scenario, seed, costs: COSTS }));
        }
        const of = (key) => found.map((one) => one[key]);
        const what = `${cores} cores, ${hz} Hz, ${scenario}`;
        rows.push(row(`${what}: frames missed`, '%', of('frameMissPercent')));
        rows.push(row('  audio blocks missed', '%', of('audioMissPercent')));
        rows.push(row('  input events missed', '%', of('inputMissPercent')));
        rows.push(row('  render workers busy', '%', of('busyPercent')));
        const [frame, audio, input, busy] = rows.slice(-4);
        table.push({ cores, hz, scenario, frame, audio, input, busy });
      }
    }
    for (const cores of CORES) {
      const points = [];
      for (const ms of quick ? WORK_MS.slice(0, 3) : WORK_MS) {
        const one = await play({ cores, hz: 240, workUs: ms * 1000, seconds, scenario, seed: 7, costs: COSTS });
        points.push([ms, one.frameMissPercent]);
      }
      series.push({ label: `${cores} cores, ${scenario}`, points });
    }
  }
  return {
    rows,
    table,
    series,
    load: LOAD,
    costs: COSTS,
    notes: [
      'SIMULATED: submitting, rings, picking, frames, barriers and telemetry are the real code on a virtual clock; costs, wake-ups, job lengths and disturbances are drawn',
      `${LOAD.jobsPerFrame} jobs a frame, lognormal, ${WORK_US / 1000} ms of work together; ${seconds} s of virtual time, seeds ${seeds.join(', ')}`,
      `one worker for audio, cores - 2 for input and render, the main thread submits; frames and input are missed by their deadlines`,
    ],
  };
}
