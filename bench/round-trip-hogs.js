import { createScheduler } from 'frame-deadline';
import { compile, NO_COMPILER, runJson } from './harness/compile.js';
import { startHogs } from './harness/hogs.js';
import { bindHost, setHostPolicy } from './harness/host-priority.js';
import { percentiles, ratio, row } from './harness/stats.js';

export const describe = 'one job of 64 bytes to a parked real-time worker and back beside CPU hogs, beside a word in C';

const DEADLINE = { deadlineMs: 1000 };
const tasks = new URL('./tasks/echo-budgeted.tasks.js', import.meta.url);
/** What the host's thread runs as. The worker is real-time throughout. */
const HOSTS = [
  { level: 'realtime', policy: 'rr', number: 10 },
  { level: 'high', policy: 'nice', number: -11 },
  { level: 'normal', policy: 'nice', number: 0 },
];
const WARM_UP = 500;

/** Times `count` round trips into `tookNs`, after some that warm up. */
function roundTrips(scheduler, payload, tookNs, count) {
  const { echo } = scheduler.lanes.jobs;
  for (let i = 0; i < WARM_UP + count; i++) {
    const start = performance.now();
    const frame = scheduler.beginFrame(DEADLINE);
    const { input } = echo;
    input.number = i;
    input.payload.set(payload);
    const job = frame.submit(echo);
    frame.joinSync();
    if (job.output.number !== i) throw new Error('another job’s answer came back');
    if (i >= WARM_UP) tookNs[i - WARM_UP] = (performance.now() - start) * 1e6;
  }
  return percentiles(tookNs, count);
}

const skipped = (why) => ({ rows: [], notes: [`SKIPPED: ${why}`] });

export async function run({ quick }) {
  const rounds = quick ? 2 : 7;
  const count = quick ? 1000 : 10_000;
  const program = compile('ping_pong');
  const probe = await start();
  const { allowedCpus, workers } = probe.describe();
  await probe.close();
  const { thread } = workers[0];
  if (allowedCpus.length < 2) return skipped('only one CPU is allowed: host and worker need one each');
  if (thread.priority.effective !== 'realtime') return skipped(`realtime was not granted: ${thread.priority.reason}`);
  const [hostCpu, workerCpu] = allowedCpus;
  const everyCpu = allowedCpus.join(',');
  if (!bindHost(everyCpu) || !setHostPolicy('rr', 10) || !setHostPolicy('nice', 0)) {
    return skipped('the main thread can be given no priority (taskset and chrt of util-linux, missing or refused)');
  }
  const hogs = await startHogs();
  const scheduler = await start([workerCpu]);
  const payload = new Uint8Array(60).fill(7);
  const tookNs = new Float64Array(count);
  const found = HOSTS.map(() => ({ ours: [], theirs: [] }));
  for (let round = -1; round < rounds; round++) {
    for (const [i, { policy, number }] of HOSTS.entries()) {
      bindHost(String(hostCpu));
      setHostPolicy(policy, number);
      const ours = roundTrips(scheduler, payload, tookNs, count);
      setHostPolicy('nice', 0);
      bindHost(everyCpu);
      if (round >= 0) found[i].ours.push(ours);
      if (program === null || round < 0) continue;
      const places = [`${hostCpu}:${policy}:${number}`, `${workerCpu}:rr:10`];
      found[i].theirs.push(runJson(program, ['futex', String(count), String(WARM_UP), ...places]));
    }
  }
  const { thread: inForce } = scheduler.describe().workers[0];
  await scheduler.close();
  const hogsCpuMs = await hogs.end();
  const notes = program === null ? [NO_COMPILER] : [];
  notes.push(`worker: ${inForce.policy} on CPU ${workerCpu} by priority: 'realtime'; parks at once, host asleep`);
  notes.push(`host realtime: SCHED_RR 10, high: nice -11, normal: nice 0, on CPU ${hostCpu}, set from outside (chrt)`);
  notes.push(`C: the same policies and CPUs; ${hogs.count} hogs at default priority; all in turn`);
  return { rows: HOSTS.flatMap((host, i) => rowsOf(host, found[i])), notes, helpersCpuMs: hogsCpuMs };
}

function start(cpus) {
  return createScheduler({
    lanes: { jobs: { tasks, load: () => import(tasks), deadlineMs: 1000 } },
    workers: [{ lanes: ['jobs'], priority: 'realtime', name: 'bench', ...(cpus === undefined ? {} : { cpus }) }],
  });
}

function rowsOf({ level }, { ours, theirs }) {
  return ['p50', 'p99', 'p999'].flatMap((p) => {
    const us = (of) => of.map((round) => round[p] / 1000);
    const own = row(`host ${level}, ${p}`, 'µs', us(ours));
    if (theirs.length === 0) return [own];
    return [own, row('  in C', 'µs', us(theirs)), ratio('  ratio', us(ours), us(theirs))];
  });
}
