import type { LinuxFacts, MachineFacts } from '../../src/cli/doctor/machine/facts.js';

/** An ordinary user of a Debian desktop, with nothing set up and nothing in the way. */
export const LINUX: LinuxFacts = {
  distribution: ['debian'],
  rtprio: { soft: 0, hard: 0 },
  nice: { soft: 0, hard: 0 },
  rttimeUs: { soft: Number.POSITIVE_INFINITY, hard: Number.POSITIVE_INFINITY },
  capSysNice: false,
  groups: ['ada'],
  listedGroups: [],
  limitsEntries: [],
  autogroup: false,
  nicenessScope: 'everywhere',
  autogroupNiceness: 0,
  realtimeRuntimeUs: 950_000,
  cgroupRealtimeRuntimeUs: null,
  quotaCpus: null,
  governors: ['performance'],
  energyPreferences: [],
  hasHypervisor: false,
  clocksource: 'tsc',
  tracerPid: 0,
};

export const MACHINE: MachineFacts = {
  platform: 'linux',
  arch: 'x64',
  kernel: '6.12.0',
  node: 'v22.0.0',
  cpuModel: 'A CPU',
  user: 'ada',
  uid: 1000,
  container: null,
  addonLoaded: true,
  addonReason: null,
  canAskBrokers: false,
  allowedCpus: [0, 1, 2, 3],
  cores: 4,
  slowCpus: 0,
  usableCpus: 4,
  power: 'mains',
  inspectorAttached: false,
  linux: LINUX,
};

export const machine = (changes: Partial<MachineFacts>, linux: Partial<LinuxFacts> = {}): MachineFacts => ({
  ...MACHINE,
  linux: { ...LINUX, ...linux },
  ...changes,
});
