// Ways to leave a scheduler behind; the parent looks at when and how this process ends.
import { createScheduler, StreamRing } from 'frame-deadline';

const [way] = process.argv.slice(2);
const tasks = new URL('../tasks/work.tasks.js', import.meta.url);
const gate = new Int32Array(new SharedArrayBuffer(8));
const lane = { tasks, shared: { gate } };
const periodic = way === 'periodic' || way === 'periodic-closed' ? { periodic: { task: 'nothing', everyMs: 5 } } : {};
const scheduler = await createScheduler({ lanes: { work: { ...lane, ...periodic } } });
const { nothing, spin, untilCancelled } = scheduler.lanes.work;
/** Only if something else keeps the process alive until then. */
const later = (ms, act) => setTimeout(act, ms).unref();

switch (way) {
  case 'idle':
    break;
  case 'submitted':
    scheduler.submit(nothing);
    break;
  case 'listening':
    scheduler.onMiss(() => {});
    scheduler.submit(nothing);
    break;
  case 'frame-left-open':
    scheduler.beginFrame().submit(nothing);
    break;
  case 'deadline-join': {
    // the join is over at the deadline, the job runs on: nothing waits for it
    const frame = scheduler.beginFrame({ deadlineMs: 5 });
    frame.submit(untilCancelled);
    console.log(await frame.join({ until: 'deadline' }));
    break;
  }
  case 'join': {
    const frame = scheduler.beginFrame({ deadlineMs: 60_000 });
    const job = frame.submit(spin, { us: 300_000 });
    console.log(await frame.join(), job.outcome);
    break;
  }
  case 'done': {
    const job = scheduler.submit(spin, { us: 300_000 }, { deadlineMs: 60_000 });
    console.log((await job.done).outcome);
    break;
  }
  case 'cancelled':
    // before a worker has begun it; if one was faster, once more
    for (;;) {
      const job = scheduler.submit(nothing);
      const { done } = job;
      const isCancelled = job.cancel();
      await done;
      if (!isCancelled) continue;
      console.log(job.outcome);
      break;
    }
    break;
  case 'loop': {
    const end = new AbortController();
    let ticks = 0;
    await scheduler.loop({ hz: 100, signal: end.signal }, () => {
      if (++ticks === 20) end.abort();
    });
    console.log(ticks);
    break;
  }
  case 'periodic':
    later(300, async () => {
      console.log('alive');
      await scheduler.close();
    });
    break;
  case 'periodic-closed':
  case 'closed':
    await scheduler.close();
    later(2000, () => {
      console.log('still alive');
      process.exit(1);
    });
    break;
  case 'exit-while-busy':
    for (let i = 0; i < 8; i++) scheduler.submit(untilCancelled);
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.exit(5);
    break;
  case 'throw-while-busy':
    for (let i = 0; i < 8; i++) scheduler.submit(untilCancelled);
    setTimeout(() => {
      throw new Error('mine');
    }, 50);
    break;
  case 'signal-while-busy':
    for (let i = 0; i < 8; i++) scheduler.submit(untilCancelled);
    console.log('ready');
    setInterval(() => {}, 1000);
    break;
  default:
    throw new Error(`unknown way ${way} ${StreamRing.name}`);
}
