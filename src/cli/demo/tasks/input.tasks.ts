import { task } from '../../../worker/task.js';
import type { Stage } from '../stage/stage.js';
import { InputLane } from './input-lane.js';

let lane: InputLane | null = null;

/** Periodic, 1000 times a second: sends on the events that are due. */
export const poll = task({
  input: {},
  run(_input, _output, context) {
    lane ??= new InputLane(context.shared['stage'] as Stage);
    lane.release();
  },
});
