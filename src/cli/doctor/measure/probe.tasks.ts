import { task } from '../../../worker/task.js';
import { ProbeMemory } from './probe-memory.js';
import { timeLoop, work } from './work.js';

export const PERIOD_MS = 1000 / 60;
export const WORK_MS = 8;
const DEADLINE_US = Math.round(PERIOD_MS * 1000);
const CALIBRATIONS_PER_PERIOD = 6;

let memory: ProbeMemory | null = null;

/** Periodic: 8 ms of work where the host has said so, else nothing but finding out how much work that is. */
export const frame = task({
  input: {},
  deadlineMs: PERIOD_MS,
  budgetUs: 10_000,
  run(_input, _output, context) {
    const wakeupUs = DEADLINE_US - context.timeToDeadlineUs();
    memory ??= new ProbeMemory(context.shared['probe'] as SharedArrayBuffer);
    const level = context.shared['level'] as number;
    const phase = memory.beginPeriod(level, context.period);
    const loops = memory.loopsPerFrame;
    if (loops === 0) {
      for (let n = 0; n < CALIBRATIONS_PER_PERIOD; n++) memory.noteLoop(level, timeLoop());
    } else if (phase >= 0) {
      work(loops);
      memory.addSample(level, phase, wakeupUs, DEADLINE_US - context.timeToDeadlineUs());
    }
  },
});
