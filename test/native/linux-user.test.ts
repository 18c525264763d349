import { describe, expect, it } from 'vitest';
import { parseCpuList } from '../../src/host/node/cpus.js';
import {
  AS_NOBODY,
  addonPath,
  allowedCpus,
  canRun,
  isRoot,
  REALTIME,
  runProbe,
  skipsBecause,
  whyNot,
} from './support.js';

const SCHED_OTHER = 0;
const SCHED_RR = 2;

const reason =
  whyNot ??
  (process.platform !== 'linux' ? 'not Linux' : null) ??
  (isRoot ? null : 'not root, which another user is tried from') ??
  (canRun(`${AS_NOBODY} ${process.execPath} -e "require('${addonPath}')"`)
    ? null
    : 'no other user can be tried from here, or that user cannot read the addon');

/** As a user without privilege, after limits were set. */
const asNobody = (steps: readonly (readonly [string, unknown?])[], limits: string) =>
  runProbe(steps, limits, AS_NOBODY).results;

const noLimits = 'ulimit -r 0 && ulimit -e 0';

describe.skipIf(skipsBecause('thread control as an ordinary user', reason))('as an ordinary user', () => {
  it('priorities are refused with the error names, and nothing changes', () => {
    const [high, realtime] = asNobody(
      [
        ['apply', { priority: 1 }],
        ['apply', REALTIME],
      ],
      noLimits,
    );
    expect(high.report.priority).toEqual({ mechanism: null, reason: 'setpriority -11: EACCES; RLIMIT_NICE is 0' });
    expect(high.seen).toMatchObject({ niceness: 0, policy: SCHED_OTHER });
    expect(high.report.state.priority).toBe(0);
    expect(realtime.report.priority).toEqual({
      mechanism: null,
      reason: 'sched_setscheduler SCHED_RR 10: EPERM; RLIMIT_RTPRIO is 0; setpriority -11: EACCES; RLIMIT_NICE is 0',
    });
    expect(realtime.seen).toMatchObject({ niceness: 0, policy: SCHED_OTHER });
    expect(realtime.report.leash).toBe(null);
    expect(parseCpuList(realtime.seen.cpus)).toEqual(allowedCpus);
  });

  it('CPUs and timer slack need no privilege', () => {
    const cpu = allowedCpus.at(-1)!;
    const [pinned, back] = asNobody(
      [
        ['apply', { cpus: [cpu], timerSlackNs: 1 }],
        ['apply', {}],
      ],
      noLimits,
    );
    expect(pinned.report.cpus).toEqual({ mechanism: 'sched_setaffinity', reason: null });
    expect(pinned.seen.cpus).toBe(String(cpu));
    expect(pinned.report.state).toMatchObject({ cpus: [cpu], timerSlackNs: 1 });
    expect(parseCpuList(back.seen.cpus)).toEqual(allowedCpus);
    expect(back.report.state.timerSlackNs).toBe(50_000);
  });

  it('niceness is not taken back from a user who could not set it again', () => {
    // the process began at -4, which its user may not set
    const [high, normal] = runProbe(
      [
        ['apply', { priority: 1 }],
        ['apply', {}],
      ],
      noLimits,
      `nice -n -4 ${AS_NOBODY}`,
    ).results;
    expect(high.seen.niceness).toBe(-4);
    expect(high.report.state.priority).toBe(1);
    expect(normal.seen.niceness).toBe(-4);
  });

  it('memory is locked within RLIMIT_MEMLOCK, and the process lives on', () => {
    const { status, results } = runProbe(
      [
        ['lock', 128 * 1024],
        ['lock', 4 * 1024 * 1024],
      ],
      'ulimit -l 256',
      AS_NOBODY,
    );
    expect(status).toBe(0);
    const [within, beyond] = results;
    expect(within.answer).toEqual({ locked: true, mechanism: 'mlock', reason: null });
    expect(within.seen.lockedKiB).toBeGreaterThanOrEqual(128);
    expect(beyond.answer).toEqual({
      locked: false,
      mechanism: null,
      reason: 'mlock: ENOMEM; RLIMIT_MEMLOCK is 256 KiB',
    });
    expect(beyond.seen.lockedKiB).toBe(within.seen.lockedKiB);
  });
});

const noNamespace =
  reason ??
  (allowedCpus.length < 2 ? 'only one CPU is allowed' : null) ??
  (canRun('unshare --user --map-root-user true') ? null : 'user namespaces cannot be made here');

describe.skipIf(skipsBecause('root of a user namespace', noNamespace))('as root of a user namespace', () => {
  it('is told the limits: its capabilities are good for nothing outside', () => {
    const { results } = runProbe([['apply', REALTIME]], noLimits, 'unshare --user --map-root-user');
    const [{ report }] = results;
    expect(report.priority).toEqual({
      mechanism: null,
      reason: 'sched_setscheduler SCHED_RR 10: EPERM; RLIMIT_RTPRIO is 0; setpriority -11: EACCES; RLIMIT_NICE is 0',
    });
  });
});

const cannotRaise =
  reason ??
  (allowedCpus.length < 2 ? 'only one CPU is allowed' : null) ??
  (canRun('ulimit -r 3 && ulimit -e 31') ? null : 'limits cannot be raised here (CAP_SYS_RESOURCE); check.c stands in');

describe.skipIf(skipsBecause('a user with raised limits', cannotRaise))('as a user with limits.conf lines', () => {
  it('niceness goes as low as RLIMIT_NICE lets it', () => {
    const [{ report, seen }] = asNobody([['apply', { priority: 1 }]], 'ulimit -e 25');
    expect(report.priority).toEqual({
      mechanism: 'setpriority -5',
      reason: 'setpriority -11: EACCES; RLIMIT_NICE is 25',
    });
    expect(seen.niceness).toBe(-5);
  });

  it('a niceness that is granted in full is no reason', () => {
    const [{ report, seen }] = asNobody([['apply', { priority: 1 }]], 'ulimit -e 31');
    expect(report.priority).toEqual({ mechanism: 'setpriority -11', reason: null });
    expect(seen.niceness).toBe(-11);
  });

  it('realtime is clamped to RLIMIT_RTPRIO, and says so', () => {
    const [realtime, normal] = asNobody(
      [
        ['apply', REALTIME],
        ['apply', {}],
      ],
      'ulimit -r 3 && ulimit -e 0',
    );
    expect(realtime.report.priority).toEqual({
      mechanism: 'sched_setscheduler SCHED_RR|SCHED_RESET_ON_FORK 3',
      reason: 'sched_setscheduler SCHED_RR 10: EPERM; RLIMIT_RTPRIO is 3',
    });
    expect(realtime.seen).toMatchObject({ policy: SCHED_RR, realtimePriority: 3, niceness: 0 });
    // an ordinary user cannot clear the flag
    expect(normal.report.state.policy).toBe('SCHED_OTHER|SCHED_RESET_ON_FORK');
    expect(normal.report.priority.reason).toBe(null);
    expect(normal.seen).toMatchObject({ policy: SCHED_OTHER });
    expect(parseCpuList(normal.seen.cpus)).toEqual(allowedCpus);
  });
});

const niceUser = AS_NOBODY.replace(
  '--inh-caps=-all --bounding-set=-all',
  '--inh-caps=+sys_nice --ambient-caps=+sys_nice',
);
const noCapability =
  reason ??
  (allowedCpus.length < 2 ? 'only one CPU is allowed' : null) ??
  (canRun(`${niceUser} chrt -r 1 true`) ? null : 'no capability can be handed on here');

describe.skipIf(skipsBecause('a user with CAP_SYS_NICE', noCapability))('as a user with CAP_SYS_NICE', () => {
  it('every level is granted', () => {
    const { results } = runProbe(
      [
        ['apply', { priority: 1 }],
        ['apply', REALTIME],
        ['apply', {}],
      ],
      noLimits,
      niceUser,
    );
    expect(results.map(({ report }) => report.priority.reason)).toEqual([null, null, null]);
    expect(results.map(({ seen }) => [seen.policy, seen.niceness])).toEqual([
      [SCHED_OTHER, -11],
      [SCHED_RR, -11],
      [SCHED_OTHER, 0],
    ]);
  });
});
