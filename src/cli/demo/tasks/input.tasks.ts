import { task } from '../../../worker/task.js';
import type { Stage } from '../stage/stage.js';
import { InputLane } from './input-lane.js';

let lane: InputLane | null = null;

/** Periodic, 1000 times a second: sends on the events that are due. */
export const poll = task({
  input: {},
  // a quarter of its period, several times what it takes; real-time wants it declared
  budgetUs: 250,
  run(_input, _output, context) {
    lane ??= new InputLane(context.shared['stage'] as Stage);
    lane.release();
  },
});
