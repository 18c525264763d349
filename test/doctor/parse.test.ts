import { describe, expect, it } from 'vitest';
import { happenedBetween } from '../../src/cli/doctor/machine/facts.js';
import {
  containerKind,
  parseAutogroupNiceness,
  parseCgroups,
  parseCpuMax,
  parseCpuTicks,
  parseDistribution,
  parseGroups,
  parseHypervisor,
  parseLimit,
  parseLimitsFile,
  parseStatusNumber,
  parseSysNice,
  parseThrottled,
} from '../../src/cli/doctor/machine/parse.js';
import { linuxPower, macPower, windowsPower } from '../../src/cli/doctor/machine/power.js';

describe('files of /proc', () => {
  const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max locked memory         8388608              8388608              bytes
Max nice priority         31                   40
Max realtime priority     20                   95
Max realtime timeout      200000               unlimited            us
`;
  it('limits: numbers, no limit, a row that is missing', () => {
    expect(parseLimit(LIMITS, 'Max nice priority')).toEqual({ soft: 31, hard: 40 });
    expect(parseLimit(LIMITS, 'Max realtime priority')).toEqual({ soft: 20, hard: 95 });
    expect(parseLimit(LIMITS, 'Max realtime timeout')).toEqual({ soft: 200_000, hard: Number.POSITIVE_INFINITY });
    expect(parseLimit(LIMITS, 'Max realtime')).toBe(null);
    expect(parseLimit('', 'Max nice priority')).toBe(null);
  });

  it('status: capability and tracer', () => {
    const status = (capEff: string) => `Name:\tnode\nTracerPid:\t4711\nCapEff:\t${capEff}\n`;
    expect(parseSysNice(status('000001fffeffffff'))).toBe(true);
    // Docker's default set
    expect(parseSysNice(status('00000000a80425fb'))).toBe(false);
    expect(parseSysNice(status('0000000000800000'))).toBe(true);
    expect(parseSysNice('Name:\tnode\n')).toBe(null);
    expect(parseStatusNumber(status('0'), 'TracerPid')).toBe(4711);
    expect(parseStatusNumber('', 'TracerPid')).toBe(null);
  });

  it('stat: ticks, guest time not counted twice', () => {
    const text = 'cpu  100 10 50 800 20 5 5 10 70 3\ncpu0 50 5 25 400 10 2 2 5 0 0\n';
    expect(parseCpuTicks(text)).toEqual({ stealTicks: 10, allTicks: 1000 });
    expect(parseCpuTicks('cpu0 50 5 25 400 10 2 2 5 0 0\n')).toBe(null);
    expect(parseCpuTicks('cpu  100 10 50\n')).toBe(null);
  });

  it('cpuinfo: the flag as a word', () => {
    expect(parseHypervisor('processor\t: 0\nflags\t\t: fpu hypervisor lahf_lm\n')).toBe(true);
    expect(parseHypervisor('flags\t\t: fpu nohypervisor\n')).toBe(false);
    expect(parseHypervisor('processor\t: 0\nFeatures\t: fp asimd\n')).toBe(null);
  });

  it('autogroup', () => {
    expect(parseAutogroupNiceness('/autogroup-412 nice -5\n')).toBe(-5);
    expect(parseAutogroupNiceness('')).toBe(null);
  });
});

describe('control groups', () => {
  it('paths of both versions', () => {
    expect(parseCgroups('0::/user.slice/a:b.scope\n')).toEqual({ unified: '/user.slice/a:b.scope', cpu: null });
    expect(parseCgroups('4:memory:/m\n3:cpu,cpuacct:/c\n1:name=systemd:/s\n0::/\n')).toEqual({
      unified: '/',
      cpu: '/c',
    });
    expect(parseCgroups('')).toEqual({ unified: null, cpu: null });
  });
  it('quota and throttling', () => {
    expect(parseCpuMax('150000 100000\n')).toBe(1.5);
    expect(parseCpuMax('max 100000\n')).toBe(Number.POSITIVE_INFINITY);
    expect(parseCpuMax('nonsense')).toBe(null);
    expect(parseThrottled('nr_periods 10\nnr_throttled 3\nthrottled_usec 99\n')).toBe(3);
    expect(parseThrottled('usage_usec 1\n')).toBe(null);
  });
  it('what happened is the difference, unknown where one reading is', () => {
    const before = { stealTicks: 10, allTicks: 1000, throttledPeriods: 3 };
    const after = { stealTicks: 25, allTicks: 2000, throttledPeriods: 7 };
    expect(happenedBetween(before, after)).toEqual({ stealPercent: 1.5, throttledPeriods: 4 });
    expect(happenedBetween(before, before)).toEqual({ stealPercent: null, throttledPeriods: 0 });
    const unknown = { stealTicks: null, allTicks: null, throttledPeriods: null };
    expect(happenedBetween(before, unknown)).toEqual({ stealPercent: null, throttledPeriods: null });
  });
  it('containers by what gives them away', () => {
    const kind = (paths: string[], environment: Record<string, string>, cgroup = '0::/\n') =>
      containerKind((path) => paths.includes(path), environment, cgroup);
    expect(kind([], {})).toBe(null);
    expect(kind(['/.dockerenv'], {})).toBe('docker');
    expect(kind(['/.dockerenv'], { KUBERNETES_SERVICE_HOST: '10.0.0.1' })).toBe('kubernetes');
    expect(kind(['/run/.containerenv'], { container: 'podman' })).toBe('podman');
    expect(kind(['/.flatpak-info'], {})).toBe('flatpak');
    expect(kind([], { SNAP: '/snap/a/1', SNAP_NAME: 'a' })).toBe('snap');
    expect(kind([], { container: 'lxc' })).toBe('lxc');
    expect(kind([], { container: 'systemd-nspawn' })).toBe('container');
    expect(kind([], {}, '0::/system.slice/docker-0a1b.scope\n')).toBe('docker');
    // the service of the daemon itself is no container
    expect(kind([], {}, '0::/system.slice/docker.service\n')).toBe(null);
  });
});

describe('files of /etc', () => {
  it('limits: items about priority, comments and user-id ranges apart', () => {
    const text = `# a comment
@audio   -  rtprio     95   # ninety-five
@audio   -  memlock    unlimited
@audio   -  nice       -19
ada hard rtprio unlimited
* soft nice zero
broken
`;
    expect(parseLimitsFile('/f', text)).toEqual([
      { file: '/f', domain: '@audio', item: 'rtprio', value: 95 },
      { file: '/f', domain: '@audio', item: 'nice', value: -19 },
      { file: '/f', domain: 'ada', item: 'rtprio', value: 99 },
    ]);
  });
  it('groups: names by id, and those that list the user by its whole name', () => {
    const { byId, listed } = parseGroups('root:x:0:\naudio:x:29:ada,bob\nvideo:x:44:adam\nbroken\n', 'ada');
    expect([...byId]).toEqual([
      [0, 'root'],
      [29, 'audio'],
      [44, 'video'],
    ]);
    expect(listed).toEqual(['audio']);
  });
  it('os-release', () => {
    expect(parseDistribution('NAME="Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n')).toEqual([
      'linuxmint',
      'ubuntu',
      'debian',
    ]);
    expect(parseDistribution('')).toEqual([]);
  });
});

describe('power', () => {
  const battery = (status: string, scope: string | null = null) => ({ type: 'Battery', status, scope });
  const mains = { type: 'Mains', status: null, scope: null };
  it('Linux: profile first, batteries of other devices not at all', () => {
    expect(linuxPower('low-power', [mains])).toBe('saver');
    expect(linuxPower('balanced', [mains, battery('Discharging')])).toBe('battery');
    expect(linuxPower(null, [mains, battery('Charging')])).toBe('mains');
    expect(linuxPower(null, [mains, battery('Discharging', 'Device')])).toBe('mains');
    expect(linuxPower(null, [])).toBe('unknown');
  });
  it('macOS and Windows', () => {
    const ac = "Now drawing from 'AC Power'\n";
    expect(macPower(' lowpowermode         1\n', ac)).toBe('saver');
    expect(macPower(' lowpowermode         0\n', ac)).toBe('mains');
    expect(macPower('', "Now drawing from 'Battery Power'\n")).toBe('battery');
    expect(macPower('', '')).toBe('unknown');
    expect(windowsPower('Power Scheme GUID: A1841308-3541-4fab-bc81-f71556f20b4a  (Power saver)')).toBe('saver');
    expect(windowsPower('Power Scheme GUID: 381b4222-f694-41f0-9685-ff5bb260df2e  (Balanced)')).toBe('unknown');
  });
});
