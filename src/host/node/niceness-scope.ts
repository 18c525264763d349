import { existsSync, readFileSync } from 'node:fs';
import type { Priority } from '../thread-control.js';

/**
 * Among whom this process's niceness counts. `session`: autogroup puts the processes of a session into one group
 * (sched(7), "The autogroup feature"), unless a control group with a CPU controller holds them already. Beside other
 * groups the whole group has one share, whatever its threads' niceness.
 */
export type NicenessScope = 'everywhere' | 'session' | 'controlGroup';

/** Reads some small files. `everywhere` off Linux and where nothing is told. @param root stands for `/`, in tests */
export function nicenessScope(root = ''): NicenessScope {
  const cgroups = textOf(`${root}/proc/self/cgroup`) ?? '';
  if (isInCpuGroup(cgroups, root)) return 'controlGroup';
  const isOn = textOf(`${root}/proc/sys/kernel/sched_autogroup_enabled`)?.trim() === '1';
  return isOn && textOf(`${root}/proc/self/autogroup`) !== null ? 'session' : 'everywhere';
}

/** For an answer about priority: the note that belongs to a level, if any. */
export function noteOf(level: Priority | undefined): { note?: string } {
  if (level !== 'high' || process.platform !== 'linux') return {};
  switch (nicenessScope()) {
    case 'session':
      return { note: 'niceness counts only within this session (autogroup)' };
    case 'controlGroup':
      return { note: 'niceness counts only within this control group' };
    case 'everywhere':
      return {};
  }
}

/** Whether a group below the root of the hierarchy has the CPU controller: version 1 by its path, version 2 by its files. */
function isInCpuGroup(cgroups: string, root: string): boolean {
  for (const line of cgroups.split('\n')) {
    const [, controllers = '', path = '/'] = line.split(':');
    if (controllers.split(',').includes('cpu') && path !== '/') return true;
    if (controllers !== '' || !line.startsWith('0:')) continue;
    // a parent without the controller makes no group of its own for the scheduler
    const parts = path.split('/').filter((part) => part !== '' && part !== '..');
    for (let depth = parts.length; depth >= 0; depth--) {
      if (existsSync(`${root}/sys/fs/cgroup/${parts.slice(0, depth).join('/')}/cpu.weight`)) return true;
    }
  }
  return false;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
