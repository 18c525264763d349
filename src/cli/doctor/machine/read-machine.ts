import { existsSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { loadAddon } from '../../../host/node/addon.js';
import { readCpuTopology } from '../../../host/node/cpu-topology.js';
import { readCpuSet } from '../../../host/node/cpus.js';
import { canAskBrokers } from '../../../host/node/realtime-kit.js';
import type { MachineFacts } from './facts.js';
import { containerKind } from './parse.js';
import { readPowerByTool } from './power.js';
import { readLinux, readLinuxPower, readText, userName } from './read-linux.js';

/** What this machine and this process are. Changes nothing; takes at most a second. */
export async function readMachine(): Promise<MachineFacts> {
  const { platform } = process;
  const isLinux = platform === 'linux';
  const addon = loadAddon();
  const { allowed, usable } = readCpuSet();
  const topology = readCpuTopology(allowed);
  const linux = isLinux ? readLinux(allowed) : null;
  const quotaCpus = linux?.quotaCpus ?? null;
  return {
    platform,
    arch: process.arch,
    kernel: release(),
    node: process.version,
    cpuModel: cpus()[0]?.model.trim() ?? null,
    user: userName(),
    uid: process.getuid?.() ?? null,
    container: isLinux ? containerKind(existsSync, process.env, readText('/proc/1/cgroup') ?? '') : null,
    addonLoaded: addon.addon !== null,
    addonReason: addon.reason,
    canAskBrokers: await canAskBrokers(),
    allowedCpus: allowed,
    cores: new Set(topology.map(({ core }) => core)).size,
    slowCpus: topology.filter(({ isEfficient }) => isEfficient).length,
    usableCpus: quotaCpus === null ? usable : Math.max(1, Math.min(usable, Math.ceil(quotaCpus))),
    power: isLinux ? readLinuxPower() : await readPowerByTool(platform),
    inspectorAttached: await isInspected(),
    linux,
  };
}

async function isInspected(): Promise<boolean> {
  try {
    return (await import('node:inspector')).url() !== undefined;
  } catch {
    // Node built without it
    return false;
  }
}
