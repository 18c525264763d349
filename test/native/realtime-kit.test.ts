import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { parseCpuList } from '../../src/host/node/cpus.js';
import { noteOf } from '../../src/host/node/niceness-scope.js';
import type { ThreadReport } from '../../src/host/thread-control.js';
import { AS_NOBODY, allowedCpus, canRun, isRoot, type Seen, skipsBecause, whyNot } from './support.js';

const DAEMON = '/usr/libexec/rtkit-daemon';
const root = fileURLToPath(new URL('../../', import.meta.url));

function hasDbusNative(): boolean {
  try {
    createRequire(import.meta.url).resolve('dbus-native');
    return true;
  } catch {
    return false;
  }
}

const reason =
  (process.platform !== 'linux' ? 'not Linux' : null) ??
  (isRoot ? null : 'not root, which starts the daemons') ??
  (canRun('command -v dbus-daemon dbus-send') ? null : 'no dbus-daemon or dbus-send') ??
  (existsSync(DAEMON) ? null : 'no rtkit-daemon (Debian: rtkit)') ??
  (hasDbusNative() ? null : 'dbus-native is not installed') ??
  (canRun(`${AS_NOBODY} test -r ${root}dist/index.js`) ? null : 'no other user can be tried from here');

/** Everyone may do anything: who may is PolicyKit's to say. */
const configuration = (socket: string): string => `
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>`;

const children: ChildProcess[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Starts a program and waits until its output says that it is ready. */
async function start(
  command: string,
  args: string[],
  environment: Record<string, string>,
  ready: RegExp,
): Promise<void> {
  const child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const look = (text: Buffer): void => {
      output += text.toString();
      if (ready.test(output)) resolve();
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    void once(child, 'exit').then(() => reject(new Error(`${command} ended: ${output}`)));
  });
}

/** A private bus with the real RealtimeKit and PolicyKit's verdict, with a portal, or with nothing. Returns its address. */
async function privateBus(verdict: 'yes' | 'no' | 'portal' | null): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'frame-deadline-bus-'));
  folders.push(folder);
  chmodSync(folder, 0o755);
  const address = `unix:path=${join(folder, 'bus')}`;
  writeFileSync(join(folder, 'bus.conf'), configuration(join(folder, 'bus')));
  await start(
    'dbus-daemon',
    [`--config-file=${join(folder, 'bus.conf')}`, '--nofork', '--nopidfile', '--print-address'],
    {},
    /unix:/,
  );
  if (verdict === null) return address;
  const fake = fileURLToPath(new URL('./fake-services.cjs', import.meta.url));
  await start(process.execPath, [fake, address, verdict], {}, /ready/);
  if (verdict === 'portal') return address;
  const alone = ['--stderr', '--no-canary', '--no-drop-privileges', '--no-chroot', '--no-limit-resources'];
  await start(DAEMON, alone, { DBUS_SYSTEM_BUS_ADDRESS: address }, /Running/);
  return address;
}

interface Reported {
  thread: ThreadReport;
  seen: Pick<Seen, 'niceness' | 'realtimePriority' | 'policy' | 'cpus'>;
}

/** What a scheduler's worker gets as an ordinary user, and what the kernel shows of it. */
function workerAsNobody(
  address: string,
  { session = '', priority = 'high', meanwhile = '' } = {},
): Reported & { after?: Reported } {
  const script = fileURLToPath(new URL('./worker-report.js', import.meta.url));
  const node = [process.execPath, script, new URL('../../dist/index.js', import.meta.url).href, priority];
  if (meanwhile !== '') node.push(meanwhile);
  const [command, ...args] = [...AS_NOBODY.split(' '), ...node];
  const environment = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: address, DBUS_SESSION_BUS_ADDRESS: session };
  return JSON.parse(execFileSync(command!, args, { env: environment, encoding: 'utf8' }));
}

describe.skipIf(skipsBecause('RealtimeKit as an ordinary user', reason))('an ordinary user on a desktop', () => {
  it('gets high from RealtimeKit', async () => {
    const { thread, seen } = workerAsNobody(await privateBus('yes'));
    expect(thread.priority).toEqual({
      requested: 'high',
      effective: 'high',
      mechanism: 'RealtimeKit MakeThreadHighPriority -11',
      reason: null,
      ...noteOf('high'),
    });
    expect(thread.niceness).toBe(-11);
    expect(seen.niceness).toBe(-11);
  });

  it('gets high from the portal of its session', async () => {
    const { thread, seen } = workerAsNobody('unix:path=/nowhere/bus', {
      session: await privateBus('portal'),
    });
    expect(thread.priority).toMatchObject({
      effective: 'high',
      mechanism: 'portal MakeThreadHighPriorityWithPID -11',
      reason: null,
    });
    expect(seen.niceness).toBe(-11);
  });

  it('asks the portal first, and RealtimeKit where the portal refuses', async () => {
    const address = await privateBus('yes');
    // there is a session's bus, but no portal on it
    const { thread } = workerAsNobody(address, { session: address });
    expect(thread.priority.mechanism).toBe('RealtimeKit MakeThreadHighPriority -11');
  });

  it('is told who refused, and why', async () => {
    const { thread, seen } = workerAsNobody(await privateBus('no'));
    expect(thread.priority.effective).toBe('normal');
    expect(thread.priority.reason).toMatch(/EACCES/);
    expect(thread.priority.reason).toMatch(/; RealtimeKit: org\.freedesktop\.DBus\.Error\.AccessDenied$/);
    expect(seen.niceness).toBe(0);
  });

  it('is told that there is no RealtimeKit, and no bus', async () => {
    const without = workerAsNobody(await privateBus(null));
    expect(without.thread.priority.reason).toMatch(/; RealtimeKit: org\.freedesktop\.DBus\.Error\.ServiceUnknown$/);
    const nowhere = workerAsNobody('unix:path=/nowhere/bus');
    expect(nowhere.thread.priority.reason).toMatch(/; RealtimeKit: ENOENT$/);
  });
});

const noRealtime =
  reason ??
  whyNot ??
  (canRun('chrt -r 1 true') ? null : 'this machine grants real-time not even to root') ??
  (allowedCpus.length < 2 ? 'only one CPU is allowed' : null);

describe.skipIf(skipsBecause('real-time from RealtimeKit', noRealtime))('an ordinary user with the addon', () => {
  it('gets realtime from RealtimeKit, on a leash that it accepts, beside the CPU of the host', async () => {
    const { thread, seen } = workerAsNobody(await privateBus('yes'), { priority: 'realtime' });
    expect(thread.priority).toEqual({
      requested: 'realtime',
      effective: 'realtime',
      mechanism: 'RealtimeKit MakeThreadRealtime 10',
      reason: null,
    });
    expect(thread.policy).toBe('SCHED_RR|SCHED_RESET_ON_FORK 10');
    expect(thread.leash).toContain('RLIMIT_RTTIME 150000 us, then demotion; killed at 200000 us');
    expect(seen).toMatchObject({ policy: 2, realtimePriority: 10 });
    expect(parseCpuList(seen.cpus)).toEqual(thread.cpus.requested ?? allowedCpus.slice(1));
  });

  it('is told when RealtimeKit takes it back, and gets the CPU of the host again', async () => {
    const address = await privateBus('yes');
    const call = '--type=method_call --print-reply --dest=org.freedesktop.RealtimeKit1 /org/freedesktop/RealtimeKit1';
    const { thread, after } = workerAsNobody(address, {
      priority: 'realtime',
      // only what it granted itself: ResetAll would take from everybody
      meanwhile: `dbus-send --bus=${address} ${call} org.freedesktop.RealtimeKit1.ResetKnown`,
    });
    expect(thread.priority.effective).toBe('realtime');
    expect(after!.seen).toMatchObject({ policy: 0, niceness: 0 });
    expect(after!.thread.priority).toEqual({
      requested: 'realtime',
      effective: 'normal',
      mechanism: null,
      reason: expect.stringMatching(/^demoted by another program: SCHED_OTHER(\|SCHED_RESET_ON_FORK)?, niceness 0$/),
    });
    expect(after!.thread).toMatchObject({ leash: null, cpus: { effective: thread.cpus.requested ?? allowedCpus } });
    expect(parseCpuList(after!.seen.cpus)).toEqual(thread.cpus.requested ?? allowedCpus);
  });

  it('keeps nothing of the preparation where realtime is refused', async () => {
    const { thread, seen } = workerAsNobody(await privateBus('no'), { priority: 'realtime' });
    expect(thread.priority.effective).toBe('normal');
    expect(thread.priority.reason).toMatch(/EPERM.*RealtimeKit: org\.freedesktop\.DBus\.Error\.AccessDenied$/);
    expect(thread.leash).toBe(null);
    const anywhere = thread.cpus.requested ?? allowedCpus;
    expect(thread.cpus.effective).toEqual(anywhere);
    expect(seen).toMatchObject({ policy: 0, niceness: 0 });
    expect(parseCpuList(seen.cpus)).toEqual(anywhere);
  });
});
