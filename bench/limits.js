import { compile, NO_COMPILER, runJson } from './harness/compile.js';
import { ISOLATED, ISOLATED_COMMAND, isolate, NOT_ISOLATED, release } from './harness/pin.js';
import { benchScheduler, joinSpinning, runFrames } from './harness/scheduler.js';
import { ratio, row } from './harness/stats.js';

export const describe =
  'an empty job in frames of 64, beside what a job system and a ring in C cost, both sides spinning';

const JOBS = 64;

export async function run({ quick }) {
  const rounds = quick ? 3 : 7;
  const frames = quick ? 2000 : 20_000;
  const programs = { ring: compile('spsc_ring'), loop: compile('job_loop') };
  const hasC = programs.ring !== null && programs.loop !== null;
  const { scheduler, tasks } = await benchScheduler({ spinUs: 1000 });
  for (let i = 0; i < 3; i++) runFrames(scheduler, tasks.empty, 2000, JOBS, joinSpinning);
  const isolated = isolate('bench');
  const prefix = isolated ? ISOLATED_COMMAND : [];
  const inC = (program, ...args) => {
    const [command, ...rest] = [...prefix, program, ...args.map(String)];
    return runJson(command, rest);
  };
  const found = { ours: [], loop: [], clock: [], ring: [] };
  for (let round = -1; round < rounds; round++) {
    const start = performance.now();
    runFrames(scheduler, tasks.empty, frames, JOBS, joinSpinning);
    const ours = ((performance.now() - start) * 1e6) / (frames * JOBS);
    if (round < 0) continue;
    found.ours.push(ours);
    if (!hasC) continue;
    found.loop.push(inC(programs.loop, frames, JOBS).nsPerJob);
    found.clock.push(inC(programs.loop, frames, JOBS, 'clock').nsPerJob);
    found.ring.push(inC(programs.ring, frames * JOBS).nsPerItem);
  }
  release();
  await scheduler.close();
  const rows = [row('an empty job', 'ns', found.ours)];
  if (hasC) {
    rows.push(row('  in C: a job loop that reads the clock as often', 'ns', found.clock));
    rows.push(ratio('  ratio', found.ours, found.clock));
    rows.push(row('  in C: the same without clock and records', 'ns', found.loop));
    rows.push(ratio('  ratio', found.ours, found.loop));
    rows.push(row('  in C: a ring of 64-byte slots, one way', 'ns', found.ring));
  }
  return { rows, notes: [...(hasC ? [] : [NO_COMPILER]), isolated ? ISOLATED : NOT_ISOLATED] };
}
