// A task module with a real dependency tree behind it, to start workers with.
import * as fastCheck from 'fast-check';
import { task, u32 } from 'frame-deadline';
import * as histograms from 'hdr-histogram-js';

export const count = task({
  input: {},
  output: { exports: u32 },
  run(_input, output) {
    output.exports = Object.keys(fastCheck).length + Object.keys(histograms).length;
  },
});
