import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCpuList } from '../../src/host/node/cpus.js';
import {
  addonPath,
  allowedCpus,
  canRun,
  DEFAULTS,
  isRoot,
  REALTIME,
  runProbe,
  type Seen,
  skipsBecause,
  whyNot,
} from './support.js';

const SCHED_OTHER = 0;
const SCHED_RR = 2;
const [hostCpu = 0, ...otherCpus] = allowedCpus;
/** Sessions of a desktop hand such limits out, with soft equal to hard. */
const unlimited = 'ulimit -R unlimited';

const reason =
  whyNot ??
  (process.platform !== 'linux' ? 'not Linux' : null) ??
  (isRoot ? null : 'not root') ??
  (canRun('chrt -r 1 true') ? null : 'this machine grants real-time not even to root') ??
  (allowedCpus.length < 2 ? 'only one CPU is allowed' : null);

describe.skipIf(skipsBecause('thread control as root', reason))('as root', () => {
  it('high is niceness -11 with sharp timers, and normal takes it back', () => {
    const { results } = runProbe([
      ['apply', { priority: 1, timerSlackNs: 1, name: 'a-name-that-is-longer' }],
      ['apply', {}],
    ]);
    const [high, normal] = results;
    expect(high.report.priority).toEqual({ mechanism: 'setpriority -11', reason: null });
    expect(high.report.state).toMatchObject({ priority: 1, niceness: -11, timerSlackNs: 1 });
    // threads that it makes are not high with it
    expect(high.report.state.policy).toBe('SCHED_OTHER|SCHED_RESET_ON_FORK');
    expect(high.seen).toMatchObject({ niceness: -11, policy: SCHED_OTHER, name: 'a-name-that-is-' });
    expect(normal.report.state).toMatchObject({
      priority: 0,
      niceness: 0,
      policy: 'SCHED_OTHER',
      timerSlackNs: 50_000,
    });
    expect(normal.seen).toMatchObject({ niceness: 0, policy: SCHED_OTHER });
  });

  it('a process that was started nice stays so in normal threads', () => {
    const { results } = runProbe(
      [
        ['apply', { priority: 1 }],
        ['apply', {}],
      ],
      '',
      'nice -n 7',
    );
    expect(results.map(({ seen }: { seen: Seen }) => seen.niceness)).toEqual([-11, 7]);
  });

  it('a process that was started at a niceness below that of high keeps it', () => {
    const { results } = runProbe(
      [
        ['apply', { priority: 1 }],
        ['apply', {}],
      ],
      '',
      'nice -n -15',
    );
    expect(results.map(({ seen }: { seen: Seen }) => seen.niceness)).toEqual([-15, -15]);
  });

  it('realtime is SCHED_RR on all CPUs but one, on a leash; normal restores policy, CPUs and limit', () => {
    const { results } = runProbe(
      [
        ['apply', REALTIME],
        ['apply', {}],
      ],
      unlimited,
    );
    const [realtime, normal] = results;
    expect(realtime.report.priority).toEqual({
      mechanism: 'sched_setscheduler SCHED_RR|SCHED_RESET_ON_FORK 10',
      reason: null,
    });
    expect(realtime.seen).toMatchObject({
      policy: SCHED_RR,
      realtimePriority: 10,
      softUs: '200000',
      hardUs: 'unlimited',
    });
    expect(parseCpuList(realtime.seen.cpus)).toEqual(otherCpus);
    expect(realtime.report.state.cpus).toEqual(otherCpus);
    expect(realtime.report.cpus.reason).toBe('one allowed CPU stays with the host');
    expect(realtime.report.leash).toContain('RLIMIT_RTTIME 200000 us, then demotion');
    expect(normal.seen).toMatchObject({ policy: SCHED_OTHER, niceness: 0, softUs: 'unlimited', hardUs: 'unlimited' });
    expect(parseCpuList(normal.seen.cpus)).toEqual(allowedCpus);
    expect(normal.report.leash).toBe(null);
  });

  it.each([
    ['no budget', { priority: 2 }, 'realtime needs a declared budget per period'],
    ['no period', { priority: 2, budgetUs: 5 }, 'realtime needs a declared budget per period'],
    ['a budget of the whole period', { priority: 2, periodUs: 5000, budgetUs: 5000 }, 'leaves nothing of its period'],
    ['a budget beyond the leash', { priority: 2, periodUs: 2e6, budgetUs: 1e6 }, 'too short for a budget'],
    ['every allowed CPU', { ...REALTIME, cpus: allowedCpus }, 'no allowed CPU would be left to the host'],
  ])('realtime with %s is high, and says why', (_, request, why) => {
    const { report, seen } = runProbe([['apply', request]]).results[0];
    expect(report.priority.reason).toContain(why);
    expect(report.priority.mechanism).toBe('setpriority -11');
    expect(report.state.priority).toBe(1);
    expect(seen).toMatchObject({ policy: SCHED_OTHER, niceness: -11 });
    expect(parseCpuList(seen.cpus)).toEqual(allowedCpus);
  });

  it('with one allowed CPU, realtime is refused', () => {
    const { report, seen } = runProbe([['apply', REALTIME]], '', `taskset -c ${hostCpu}`).results[0];
    expect(report.priority.reason).toBe('no allowed CPU would be left to the host');
    expect(seen).toMatchObject({ policy: SCHED_OTHER, niceness: -11, cpus: String(hostCpu) });
  });

  it('CPUs outside those of the process are not taken', () => {
    const steps = [
      ['apply', { cpus: [otherCpus[0]] }],
      ['apply', { cpus: [hostCpu, otherCpus[0], 8191] }],
    ] as const;
    const [none, some] = runProbe(steps, '', `taskset -c ${hostCpu}`).results;
    expect(none.report.cpus).toEqual({ mechanism: null, reason: 'none of the CPUs is allowed to this process' });
    expect(none.seen.cpus).toBe(String(hostCpu));
    expect(some.report.cpus).toEqual({
      mechanism: 'sched_setaffinity',
      reason: 'the other CPUs are not allowed to this process',
    });
    expect(some.report.state.cpus).toEqual([hostCpu]);
    expect(some.seen.cpus).toBe(String(hostCpu));
  });

  it('together, real-time threads leave one CPU, and a thread that ended gives its CPUs back', () => {
    const on = (cpus: readonly number[]) => [['apply', { ...REALTIME, cpus }]] as const;
    const [first, second, , third] = runProbe([
      ['worker', { name: 'first', steps: on(otherCpus) }],
      ['worker', { name: 'second', steps: on([hostCpu]) }],
      ['terminate', 'first'],
      ['worker', { name: 'second', steps: on([hostCpu]) }],
    ]).results;
    expect(first[0].seen).toMatchObject({ policy: SCHED_RR });
    expect(second[0].report.priority.reason).toBe('no allowed CPU would be left to the host');
    expect(second[0].seen).toMatchObject({ policy: SCHED_OTHER, cpus: String(hostCpu) });
    expect(third[0].seen).toMatchObject({ policy: SCHED_RR, cpus: String(hostCpu) });
  });

  it('threads made by a real-time thread are normal; one made by a pinned thread takes all CPUs back', () => {
    const nested = [['seen'], ['apply', { cpus: null }]] as const;
    const [outer] = runProbe([
      [
        'worker',
        {
          name: 'outer',
          steps: [
            ['apply', { ...REALTIME, cpus: [otherCpus[0]] }],
            ['worker', { name: 'inner', steps: nested }],
          ],
        },
      ],
    ]).results;
    const [own, [inherited, reset]] = outer;
    expect(own.seen).toMatchObject({ policy: SCHED_RR, cpus: String(otherCpus[0]) });
    expect(inherited.seen).toMatchObject({ policy: SCHED_OTHER, niceness: 0, cpus: String(otherCpus[0]) });
    expect(parseCpuList(reset.seen.cpus)).toEqual(allowedCpus);
  });

  it('threads made by a high thread are normal', () => {
    const [[own, [inherited]]] = runProbe([
      [
        'worker',
        {
          name: 'outer',
          steps: [
            ['apply', { priority: 1 }],
            ['worker', { name: 'inner', steps: [['seen']] }],
          ],
        },
      ],
    ]).results;
    expect(own.seen).toMatchObject({ policy: SCHED_OTHER, niceness: -11 });
    expect(inherited.seen).toMatchObject({ policy: SCHED_OTHER, niceness: 0 });
  });

  it('together, real-time threads declare no more than their CPUs can do', () => {
    const on = (budgetUs: number) => [['apply', { ...REALTIME, cpus: [otherCpus[0]], budgetUs }]] as const;
    const [first, second, third, , fourth] = runProbe([
      ['worker', { name: 'first', steps: on(8000) }],
      ['worker', { name: 'second', steps: on(9000) }],
      ['worker', { name: 'third', steps: on(6000) }],
      ['terminate', 'first'],
      ['worker', { name: 'second', steps: on(9000) }],
    ]).results;
    expect(first[0].seen).toMatchObject({ policy: SCHED_RR });
    // 17 of 16.667 ms
    expect(second[0].report.priority.reason).toMatch(
      /^real-time threads of this process would need 1\.02 of 1 CPU, of which real-time gets \d\.\d\d$/,
    );
    expect(second[0].seen).toMatchObject({ policy: SCHED_OTHER, niceness: -11 });
    expect(third[0].seen).toMatchObject({ policy: SCHED_RR });
    expect(fourth[0].seen).toMatchObject({ policy: SCHED_RR });
  });

  it('a demoted thread gets the CPU of the host back, claims nothing any more, and tells why until it asks anew', () => {
    const { results } = runProbe(
      [
        ['apply', { ...REALTIME, timerSlackNs: 1 }],
        ['burn', 600],
        ['read', 0],
        ['worker', { name: 'other', steps: [['apply', { ...REALTIME, cpus: [hostCpu], budgetUs: 15_000 }]] }],
        ['apply', {}],
        ['read', 0],
      ],
      unlimited,
    );
    const [before, burnt, told, [other], , forgotten] = results;
    expect(parseCpuList(before.seen.cpus)).toEqual(otherCpus);
    expect(parseCpuList(burnt.seen.cpus)).toEqual(allowedCpus);
    expect(told).toMatchObject({
      priority: 1,
      // the kernel gives a thread that leaves real-time what it inherited
      timerSlackNs: 1,
      demoted: 'demoted: did not sleep for 200 ms of CPU time (RLIMIT_RTTIME)',
    });
    expect(other.seen).toMatchObject({ policy: SCHED_RR, cpus: String(hostCpu) });
    expect(forgotten.demoted).toBe(null);
  });

  it('a real-time thread that never sleeps is demoted by the leash, and nobody dies', () => {
    const { status, results } = runProbe(
      [
        ['apply', { ...REALTIME, cpus: [otherCpus[0]] }],
        ['burn', 60],
        ['burn', 600],
        ['apply', { ...REALTIME, cpus: [otherCpus[0]] }],
      ],
      unlimited,
    );
    expect(status).toBe(0);
    const [, brief, long, again] = results;
    expect(brief).toMatchObject({ pulls: 0, seen: { policy: SCHED_RR } });
    expect(long).toMatchObject({ pulls: 1, seen: { policy: SCHED_OTHER, niceness: -11 } });
    expect(again.seen).toMatchObject({ policy: SCHED_RR, softUs: '200000' });
  });

  it('an inherited limit with soft equal to hard is lowered, so that it demotes before it kills', () => {
    const { status, results } = runProbe(
      [
        ['apply', { ...REALTIME, cpus: [otherCpus[0]] }],
        ['burn', 600],
      ],
      'ulimit -R 200000',
    );
    expect(status).toBe(0);
    expect(results[0].seen).toMatchObject({ policy: SCHED_RR, softUs: '150000', hardUs: '200000' });
    expect(results[0].report.leash).toContain('killed at 200000 us');
    expect(results[1]).toMatchObject({ pulls: 1, seen: { policy: SCHED_OTHER } });
  });

  it.each([
    ['is granted without a hard limit', unlimited, '2 null'],
    [
      'is refused where the hard limit would kill it',
      'ulimit -R 200000',
      "1 the application handles SIGXCPU itself, and RLIMIT_RTTIME's hard limit would kill it",
    ],
  ])('a process that handles SIGXCPU itself %s', (_, limits, answer) => {
    const script = `
      process.on('SIGXCPU', () => {});
      const { state, priority } = require('${addonPath}').apply(${JSON.stringify({ ...DEFAULTS, ...REALTIME })});
      console.log(state.priority + ' ' + priority.reason);
      process.exit(0);`;
    const command = `${limits} && exec "$@"`;
    const { stdout } = spawnSync('bash', ['-c', command, 'bash', process.execPath, '-e', script], { encoding: 'utf8' });
    expect(stdout).toBe(`${answer}\n`);
  });

  it.each([
    ['no hard limit', unlimited],
    ['a hard limit that kills', 'ulimit -R 200000'],
  ])('several that never sleep on one CPU are demoted one after the other, with %s', (_, limits) => {
    const request = { ...DEFAULTS, ...REALTIME, budgetUs: 1000, cpus: [otherCpus[0]] };
    const script = `
      const { Worker } = require('node:worker_threads');
      for (let i = 0; i < 4; i++) {
        new Worker(\`
          const { parentPort } = require('node:worker_threads');
          const addon = require('${addonPath}');
          const { state } = addon.apply(${JSON.stringify(request)});
          const until = performance.now() + 20_000;
          while (addon.read(0).demoted === null && performance.now() < until);
          parentPort.postMessage(state.priority + ' ' + addon.read(0).demoted?.slice(0, 7));\`, { eval: true })
          .on('message', (text) => console.log(text));
      }`;
    const command = `${limits} && exec "$@"`;
    const { status, signal, stdout } = spawnSync('bash', ['-c', command, 'bash', process.execPath, '-e', script], {
      encoding: 'utf8',
    });
    expect({ status, signal }).toEqual({ status: 0, signal: null });
    expect(stdout.trim().split('\n')).toEqual(Array(4).fill('2 demoted'));
  });

  it('an inherited limit that is too short for real-time is a reason not to take it', () => {
    const { report, seen } = runProbe([['apply', REALTIME]], 'ulimit -R 10000').results[0];
    expect(report.priority.reason).toContain('RLIMIT_RTTIME of 7500 us is too short');
    expect(seen).toMatchObject({ policy: SCHED_OTHER, softUs: '10000', hardUs: '10000' });
  });

  it('the limit on CPU time still ends the process', () => {
    const steps = [
      ['apply', REALTIME],
      ['apply', {}],
      ['burn', 40_000],
    ] as const;
    expect(runProbe(steps, 'ulimit -S -t 1').signal).toBe('SIGXCPU');
  });

  it('the only thread that loaded it ends: its handler of SIGXCPU is still there', () => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(\`
        const { state } = require('${addonPath}').apply(${JSON.stringify({ ...DEFAULTS, ...REALTIME })});
        if (state.priority !== 2) throw new Error('not real-time');\`, { eval: true });
      worker.on('error', (error) => { console.error(error); process.exit(1); });
      worker.on('exit', () => process.kill(process.pid, 'SIGXCPU'));
      setTimeout(() => {}, 10_000);`;
    const { signal, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(signal).toBe('SIGXCPU');
  });

  it('one thread may load it again', () => {
    const script = `
      const first = require('${addonPath}');
      delete require.cache[require.resolve('${addonPath}')];
      console.log(first !== require('${addonPath}'));`;
    const { status, stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    expect(stdout).toBe('true\n');
    expect(status).toBe(0);
  });

  it('the pool of libuv is not pinned with the worker that uses it first', () => {
    const [[, pool]] = runProbe([
      [
        'worker',
        {
          name: 'pinned',
          steps: [['apply', { cpus: [otherCpus[0]] }], ['pool']],
        },
      ],
    ]).results;
    expect(pool.length).toBeGreaterThan(4);
    for (const cpus of pool) expect(parseCpuList(cpus)).toEqual(allowedCpus);
  });

  it('tells CPU time and context switches of the calling thread', () => {
    const [{ before, after }] = runProbe([['usage', 120]]).results;
    const cpuUs = after[0] + after[1] - before[0] - before[1];
    expect(cpuUs).toBeGreaterThan(1000);
    expect(cpuUs).toBeLessThan(10e6);
    for (let i = 2; i < 6; i++) expect(after[i]).toBeGreaterThanOrEqual(before[i]);
  });
});

const groups = '/sys/fs/cgroup/cpu';
const noGroup =
  reason ??
  (existsSync(`${groups}/cpu.rt_runtime_us`) ? null : 'the kernel has no real-time share for control groups here') ??
  (canRun(`mkdir ${groups}/fd-probe && rmdir ${groups}/fd-probe`) ? null : 'control groups cannot be made here');

describe.skipIf(skipsBecause('a control group without real-time share', noGroup))('in a child control group', () => {
  it('realtime is refused even to root, and says by what', () => {
    const group = `${groups}/fd-test-${process.pid}`;
    mkdirSync(group);
    try {
      expect(Number(readFileSync(`${group}/cpu.rt_runtime_us`, 'latin1'))).toBe(0);
      const { report, seen } = runProbe([['apply', REALTIME]], `echo $$ > ${group}/cgroup.procs`).results[0];
      expect(report.priority.reason).toBe(
        'sched_setscheduler SCHED_RR 10: EPERM; the control group has no cpu.rt_runtime_us',
      );
      expect(seen).toMatchObject({ policy: SCHED_OTHER, niceness: -11 });
      expect(parseCpuList(seen.cpus)).toEqual(allowedCpus);
    } finally {
      rmdirSync(group);
    }
  });
});
