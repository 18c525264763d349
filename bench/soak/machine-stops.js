import { spawn } from 'node:child_process';
import { compile } from '../harness/compile.js';

/** Longer than the deadline of the demo's sound, which is rendered some 20 ms ahead. */
export const LEAST_STOP_MS = 3;

/**
 * Watches for stops of the machine's CPUs from outside of the demo (bench/c/stops.c), so that what the machine did is told apart from
 * what the demo did. `take` gives those since the last call, `{ stops, longestStopMs }`; both null where there is no
 * compiler or no right to real-time priority.
 */
export function watchStops() {
  const program = compile('stops');
  let isWatching = program !== null;
  let stops = 0;
  let longestStopMs = 0;
  let text = '';
  const child =
    program === null ? null : spawn(program, [String(LEAST_STOP_MS)], { stdio: ['ignore', 'pipe', 'ignore'] });
  child?.on('error', () => {
    isWatching = false;
  });
  child?.on('exit', () => {
    isWatching = false;
  });
  child?.stdout.setEncoding('utf8').on('data', (part) => {
    const lines = (text + part).split('\n');
    text = lines.pop();
    for (const line of lines) {
      stops++;
      longestStopMs = Math.max(longestStopMs, Number(line.split(' ')[1]));
    }
  });
  return {
    take() {
      const taken = isWatching ? { stops, longestStopMs } : { stops: null, longestStopMs: null };
      stops = 0;
      longestStopMs = 0;
      return taken;
    },
    end: () => child?.kill(),
  };
}
