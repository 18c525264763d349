import { describe, expect, it } from 'vitest';
import { type Finding, findingsOf, type Seen } from '../../src/cli/doctor/advice/findings.js';
import { adviseLevel, isPermitted } from '../../src/cli/doctor/advice/level-advice.js';
import { LINUX, MACHINE, machine } from './facts.js';

const REFUSED = 'sched_setscheduler SCHED_RR 10: EPERM; RLIMIT_RTPRIO is 0';

describe('how to get a level', () => {
  it('an ordinary user of a desktop: package, exact line of limits.conf, systemd setting', () => {
    expect(adviseLevel('realtime', REFUSED, MACHINE)).toEqual([
      [
        'on a desktop: npm install dbus-native; sudo apt install rtkit (RealtimeKit then grants it without any setting)',
        'the line `ada - rtprio 20` in /etc/security/limits.d/95-frame-deadline.conf, then log in again',
        'as a systemd service: LimitRTPRIO=20',
      ],
    ]);
    const [high] = adviseLevel('high', 'setpriority -11: EACCES', MACHINE);
    expect(high![1]).toContain('`ada - nice -11`');
    // RLIMIT_NICE is 20 minus the niceness
    expect(high![2]).toBe('as a systemd service: LimitNICE=31');
  });

  it('a service that is there and refuses is not to be installed', () => {
    const refused = `${REFUSED}; RealtimeKit: org.freedesktop.DBus.Error.AccessDenied`;
    const [alternatives] = adviseLevel('realtime', refused, machine({ canAskBrokers: true }));
    expect(alternatives!.join()).not.toContain('rtkit');
    expect(adviseLevel('realtime', refused, machine({ canAskBrokers: true, container: 'flatpak' }))).toEqual([]);
    expect(adviseLevel('realtime', REFUSED, machine({ container: 'flatpak' }))[0]![0]).toContain('dbus-native');
  });

  it('a group that is granted it already', () => {
    const limitsEntries = [{ file: '/f', domain: '@pipewire', item: 'rtprio', value: 95 } as const];
    const first = (linux: Partial<typeof LINUX>) =>
      adviseLevel('realtime', REFUSED, machine({}, { limitsEntries, ...linux }))[0]![0];
    expect(first({})).toBe('sudo usermod -aG pipewire ada, then log in again: the group is granted it');
    expect(first({ listedGroups: ['pipewire'] })).toContain('this session is not yet');
    expect(first({ listedGroups: ['pipewire'], groups: ['ada', 'pipewire'] })).toContain('log in again');
    // it grants real-time only
    expect(adviseLevel('high', null, machine({}, { limitsEntries }))[0]![0]).toContain('on a desktop');
  });

  it('containers: their own settings, nothing about files in them', () => {
    const of = (container: NonNullable<typeof MACHINE.container>) =>
      adviseLevel('realtime', REFUSED, machine({ container, uid: 0, user: 'root' }));
    expect(of('docker')).toEqual([['docker run --cap-add SYS_NICE --ulimit rtprio=20 …']]);
    expect(of('kubernetes')[0]![0]).toContain('SYS_NICE');
    expect(adviseLevel('high', null, machine({ container: 'podman' }))).toEqual([
      ['podman run --cap-add SYS_NICE --ulimit nice=31 …'],
    ]);
  });

  it('all steps that are needed: addon, privilege', () => {
    const steps = adviseLevel('realtime', REFUSED, machine({ addonLoaded: false, addonReason: 'not there' }));
    expect(steps).toHaveLength(2);
    expect(steps[0]![0]).toContain('npm run build:native');
    expect(steps.flat().join('\n')).toContain('npx node-gyp rebuild -C node_modules/frame-deadline/native');
    // high needs no addon on Linux
    expect(adviseLevel('high', null, machine({ addonLoaded: false }))).toHaveLength(1);
  });

  it('permitted, and something else in the way', () => {
    const allowed = { rtprio: { soft: 20, hard: 20 } };
    expect(adviseLevel('realtime', REFUSED, machine({}, allowed))).toEqual([]);
    const group = adviseLevel('realtime', REFUSED, machine({}, { ...allowed, cgroupRealtimeRuntimeUs: 0 }));
    expect(group).toEqual([[expect.stringContaining('cpu.rt_runtime_us')]]);
    const off = adviseLevel('realtime', REFUSED, machine({}, { capSysNice: true, realtimeRuntimeUs: 0 }));
    expect(off).toEqual([[expect.stringContaining('kernel.sched_rt_runtime_us=950000')]]);
    const alone = adviseLevel('realtime', 'no allowed CPU would be left to the host', machine({ allowedCpus: [3] }));
    expect(alone).toEqual([[expect.stringContaining('second CPU')]]);
  });

  it('elsewhere the addon is all there is', () => {
    const mac = { ...MACHINE, platform: 'darwin', linux: null } as const;
    expect(adviseLevel('high', 'x', mac)).toEqual([]);
    expect(adviseLevel('high', 'x', { ...mac, addonLoaded: false })).toEqual([[expect.stringContaining('addon')]]);
    expect(adviseLevel('normal', null, MACHINE)).toEqual([]);
  });

  it('limits as the kernel counts them', () => {
    expect(isPermitted('high', { ...LINUX, nice: { soft: 30, hard: 30 } })).toBe(false);
    expect(isPermitted('high', { ...LINUX, nice: { soft: 31, hard: 31 } })).toBe(true);
    expect(isPermitted('realtime', { ...LINUX, rtprio: { soft: 0, hard: 99 } })).toBe(false);
    expect(isPermitted('realtime', { ...LINUX, rtprio: null, capSysNice: true })).toBe(true);
  });
});

describe('what is in the way', () => {
  const slack = (requested: number | null, effective: number, reason: string | null = null) =>
    ({ timerSlackNs: { requested, effective, mechanism: null, reason } }) as unknown as NonNullable<
      Seen['threads'][number]
    >;
  const SEEN: Seen = {
    threads: [slack(null, 50_000), slack(1, 1)],
    happened: { stealPercent: 0, throttledPeriods: 0 },
    busyBeforePercent: 3,
    hogs: 4,
  };
  const statuses = (of: Finding[]) => Object.fromEntries(of.map(({ id, status }) => [id, status]));

  it('nothing on a machine without fault', () => {
    const found = findingsOf(MACHINE, SEEN);
    expect(new Set(Object.values(statuses(found)))).toEqual(new Set(['ok']));
    expect(found.every(({ fix }) => fix === null)).toBe(true);
    expect(found.map(({ id }) => id)).toEqual([
      'addon',
      'timerSlack',
      'governor',
      'power',
      'container',
      'cpus',
      'steal',
      'busy',
      'inspector',
      'autogroup',
      'clock',
    ]);
  });

  it('each fault by its own name', () => {
    const one = (id: string, facts = MACHINE, seen = SEEN) => findingsOf(facts, seen).find((of) => of.id === id);
    expect(one('addon', machine({ addonLoaded: false }))!.status).toBe('note');
    const dull = { ...SEEN, threads: [slack(1, 50_000, 'timerslack_ns: EPERM')] };
    expect(one('timerSlack', MACHINE, dull)).toMatchObject({
      status: 'problem',
      text: expect.stringContaining('EPERM'),
    });
    expect(one('timerSlack', MACHINE, { ...SEEN, threads: [null] })!.status).toBe('unknown');
    const saving = machine({}, { governors: ['performance', 'powersave'] });
    expect(one('governor', saving)).toMatchObject({ status: 'problem', fix: expect.stringContaining('cpupower') });
    // intel_pstate: the name says less than the preference
    const hardware = machine({}, { governors: ['powersave'], energyPreferences: ['balance_performance'] });
    expect(one('governor', hardware)!.status).toBe('note');
    expect(one('governor', machine({}, { governors: ['powersave'], energyPreferences: ['power'] }))!.status).toBe(
      'problem',
    );
    expect(one('power', machine({ power: 'saver' }))!.fix).toContain('powerprofilesctl');
    expect(one('power', machine({ power: 'battery' }))!.status).toBe('note');
    const quota = machine({ container: 'docker' }, { quotaCpus: 1.5 });
    expect(one('container', quota)).toMatchObject({ status: 'note', text: expect.stringContaining('1.5 CPUs') });
    const throttled = { ...SEEN, happened: { stealPercent: 0, throttledPeriods: 7 } };
    expect(one('container', quota, throttled)!.status).toBe('problem');
    expect(one('cpus', machine({ allowedCpus: [2], usableCpus: 1 }))!.status).toBe('problem');
    const stolen = { ...SEEN, happened: { stealPercent: 4.2, throttledPeriods: null } };
    expect(one('steal', machine({}, { hasHypervisor: true }), stolen)).toMatchObject({
      status: 'problem',
      text: expect.stringContaining('4.2 %'),
    });
    expect(one('busy', MACHINE, { ...SEEN, busyBeforePercent: 40 })!.status).toBe('note');
    expect(one('busy', MACHINE, { ...SEEN, busyBeforePercent: 99 })!.status).toBe('problem');
    expect(one('inspector', machine({ inspectorAttached: true }))!.status).toBe('problem');
    expect(one('inspector', machine({}, { tracerPid: 77 }))).toMatchObject({
      status: 'problem',
      text: expect.stringContaining('77'),
    });
    expect(one('load', machine({ usableCpus: 64 }))!.status).toBe('note');
    expect(one('autogroup', machine({}, { nicenessScope: 'session' }))!.fix).toContain('sched_autogroup_enabled=0');
    expect(one('autogroup', machine({}, { nicenessScope: 'controlGroup' }))!.fix).toContain('CPUWeight=');
    expect(one('autogroup', MACHINE)!.status).toBe('ok');
    const hybrid = machine({ allowedCpus: [0, 1, 2, 3, 4, 5], cores: 4, slowCpus: 2, usableCpus: 6 });
    expect(one('cpus', hybrid)!.text).toBe('CPUs: 6 allowed on 4 cores, 2 of them slow, room for 6 threads at once');
    expect(one('realtimeThrottle', machine({}, { realtimeRuntimeUs: -1 }))!.status).toBe('note');
    expect(one('rttime', machine({}, { rttimeUs: { soft: 200_000, hard: 200_000 } }))!.text).toContain('200000 µs');
    expect(one('clock', machine({}, { clocksource: 'hpet' }))!.status).toBe('problem');
  });

  it('elsewhere it says what cannot be told', () => {
    const windows = { ...MACHINE, platform: 'win32', linux: null, power: 'unknown' } as const;
    const happened = { stealPercent: null, throttledPeriods: null };
    const found = statuses(findingsOf(windows, { ...SEEN, threads: [], happened }));
    expect(found).toEqual({
      addon: 'ok',
      timerSlack: 'unknown',
      governor: 'unknown',
      power: 'unknown',
      container: 'unknown',
      cpus: 'ok',
      steal: 'unknown',
      busy: 'ok',
      inspector: 'ok',
    });
  });
});
