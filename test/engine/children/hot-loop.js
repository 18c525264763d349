// The throughput loop of a game: three lanes, ten tasks of ten schemas, two workers, frames with a barrier.
// Arguments: jobs of the warm-up, jobs after it. Prints how many microseconds the process had run after the warm-up.
import { createScheduler } from 'frame-deadline';

const [, , warmUpJobs, jobs] = process.argv;
const tasks = new URL('../tasks/shapes.tasks.js', import.meta.url);
const load = () => import('../tasks/shapes.tasks.js');
const lane = { tasks, load, deadlineMs: 1000, capacitySlots: 256 };
const scheduler = await createScheduler({
  lanes: { input: lane, render: lane, physics: lane },
  workers: [{ lanes: ['input', 'render', 'physics'], count: 2, spinUs: 20 }],
});
const lanes = Object.values(scheduler.lanes);
const DEADLINE = { deadlineMs: 1000 };
let number = 0;

function submitAll(frame, of) {
  frame.submit(of.nothing);
  of.one.input.x = number;
  frame.submit(of.one);
  of.echo.input.x = number;
  frame.submit(of.echo);
  const place = of.place.input;
  place.x = 1;
  place.y = number;
  place.z = 3;
  frame.submit(of.place);
  of.flags.input.a = 3;
  of.flags.input.b = 7;
  frame.submit(of.flags);
  of.wide.input.x = number;
  frame.submit(of.wide);
  of.matrix.input.values[3] = number;
  frame.submit(of.matrix);
  of.text.input.x = number;
  frame.submit(of.text);
  of.pair.input.x = number;
  frame.submit(of.pair);
  of.last.input.first = number;
  frame.submit(of.last);
}

function runFrames(untilJobs) {
  let outcome = 'onTime';
  for (let done = 0; done < untilJobs; done += 60) {
    const frame = scheduler.beginFrame(DEADLINE);
    for (const of of lanes) submitAll(frame, of);
    frame.barrier();
    for (const of of lanes) submitAll(frame, of);
    number = (number + 1) & 0xffff;
    frame.joinSync();
  }
  for (const [name, counts] of Object.entries(scheduler.snapshot().lanes)) {
    if (counts.outcomes.onTime !== counts.submitted) outcome = `${name}: ${JSON.stringify(counts.outcomes)}`;
  }
  if (outcome !== 'onTime') throw new Error(`expected all jobs on time, got ${outcome}`);
}

runFrames(Number(warmUpJobs));
console.log(`WARM ${Math.round(performance.now() * 1000)}`);
runFrames(Number(jobs));
console.log('DONE');
await scheduler.close();
