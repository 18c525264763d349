import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { CpuTopology } from '../../src/host/cpu-topology.js';
import { readCpuTopology } from '../../src/host/node/cpu-topology.js';
import { nicenessScope } from '../../src/host/node/niceness-scope.js';
import type { Priority } from '../../src/host/thread-control.js';
import { chooseCpus } from '../../src/scheduler/cpu-choice.js';
import type { NormalLane, NormalWorker } from '../../src/scheduler/options.js';
import { derivePlacement, usableForWorkers } from '../../src/scheduler/placement.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder that stands for `/`, with these files. */
function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'frame-deadline-sys-'));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
  return root;
}

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const cpuFile = (cpu: number, name: string): string => `sys/devices/system/cpu/cpu${cpu}/${name}`;

/** Files of a core and the CPUs on it. */
function core(id: number, cpus: readonly number[], extra: Readonly<Record<string, string>> = {}) {
  return Object.fromEntries(
    cpus.flatMap((cpu) => [
      [cpuFile(cpu, 'topology/core_id'), String(id)],
      [cpuFile(cpu, 'topology/physical_package_id'), '0'],
      [cpuFile(cpu, 'topology/thread_siblings_list'), cpus.join(',')],
      ...Object.entries(extra).map(([name, text]) => [cpuFile(cpu, name), text]),
    ]),
  );
}
const cores = (...groups: (readonly number[])[]) => Object.assign({}, ...groups.map((cpus, id) => core(id, cpus)));

const HYBRID = {
  ...cores(...range(0, 7).map((n) => [2 * n, 2 * n + 1]), ...range(16, 23).map((cpu) => [cpu])),
  'sys/devices/cpu_core/cpus': '0-15',
  'sys/devices/cpu_atom/cpus': '16-23',
};

const lane = (index: number, everyMs: number | null): NormalLane =>
  ({ index, name: `lane${index}`, periodic: everyMs === null ? null : { task: 'beat', everyMs } }) as NormalLane;
const worker = (lanes: number[], priority: Priority = 'high', cpus: number[] | null = null): NormalWorker => ({
  name: `worker of ${lanes}`,
  lanes,
  priority,
  cpus,
  spinUs: 0,
  resourceLimits: null,
});
const AUDIO = [lane(0, 2.7)];
const AUDIO_AND_RENDER = [lane(0, 2.7), lane(1, null)];

const chosen = (workers: NormalWorker[], lanes: NormalLane[], topology: CpuTopology) =>
  chooseCpus(workers, lanes, topology).map(({ cpus, cpusReason }) => ({ cpus, why: cpusReason }));

/** What `createScheduler` does where no workers are given. */
function derived(lanes: NormalLane[], topology: CpuTopology, usable = topology.length) {
  const workers = derivePlacement(lanes, usableForWorkers(lanes, usable, topology));
  return { count: workers.length, cpus: chooseCpus(workers, lanes, topology).map(({ cpus }) => cpus) };
}

describe('the topology that /sys tells', () => {
  it('of a virtual machine with two CPUs that share no core', () => {
    expect(readCpuTopology([0, 1], tree(cores([0], [1])))).toEqual([
      { cpu: 0, core: 0, isEfficient: false },
      { cpu: 1, core: 1, isEfficient: false },
    ]);
  });

  it('of a container: only what is allowed, whatever else the machine has', () => {
    const root = tree(cores([0, 4], [1, 5], [2, 6], [3, 7], [8, 9]));
    expect(readCpuTopology([3, 7, 8], root)).toEqual([
      { cpu: 3, core: 3, isEfficient: false },
      { cpu: 7, core: 3, isEfficient: false },
      { cpu: 8, core: 8, isEfficient: false },
    ]);
    // the sibling that comes first in the list is not allowed
    expect(readCpuTopology([4, 5], root).map((cpu) => cpu.core)).toEqual([4, 5]);
  });

  it('of Intel with eight P-cores of two threads and eight E-cores', () => {
    const topology = readCpuTopology(range(0, 23), tree(HYBRID));
    expect(topology.filter((cpu) => cpu.isEfficient).map(({ cpu }) => cpu)).toEqual(range(16, 23));
    expect(topology.slice(0, 4).map((cpu) => cpu.core)).toEqual([0, 0, 2, 2]);
    expect(new Set(topology.map((cpu) => cpu.core)).size).toBe(16);
  });

  it('of Arm with big and LITTLE cores, by capacity; a middle core is no slow one', () => {
    const capacity = (cpu: number): string => (cpu < 4 ? '250' : cpu < 6 ? '620' : '1024');
    const files = range(0, 7).map((cpu) => core(cpu, [cpu], { cpu_capacity: capacity(cpu) }));
    const topology = readCpuTopology(range(0, 7), tree(Object.assign({}, ...files)));
    expect(topology.filter((cpu) => cpu.isEfficient).map(({ cpu }) => cpu)).toEqual(range(0, 3));
  });

  it('of a kernel that tells no siblings: by package and core_id', () => {
    const files = Object.fromEntries(
      [0, 1, 2, 3].flatMap((cpu) => [
        [cpuFile(cpu, 'topology/core_id'), String(cpu % 2)],
        [cpuFile(cpu, 'topology/physical_package_id'), cpu === 3 ? '1' : '0'],
      ]),
    );
    expect(readCpuTopology([0, 1, 2, 3], tree(files)).map((cpu) => cpu.core)).toEqual([0, 1, 0, 3]);
  });

  it('of nothing, or nonsense: every CPU a core of its own', () => {
    const plain = [
      { cpu: 5, core: 5, isEfficient: false },
      { cpu: 9, core: 9, isEfficient: false },
    ];
    expect(readCpuTopology([5, 9], tree({}))).toEqual(plain);
    const nonsense = tree({
      [cpuFile(5, 'topology/thread_siblings_list')]: 'a-b',
      [cpuFile(5, 'topology/core_id')]: '',
      [cpuFile(9, 'cpu_capacity')]: 'much',
      'sys/devices/cpu_core/cpus': '?',
    });
    expect(readCpuTopology([5, 9], nonsense)).toEqual(plain);
  });

  it('of this machine: its allowed CPUs, each on a core among them', () => {
    const topology = readCpuTopology([0]);
    expect(topology).toHaveLength(1);
    expect(topology[0]).toMatchObject({ cpu: 0, core: 0 });
  });
});

describe('the CPUs that workers ask for', () => {
  it('one CPU, or two: nothing, for a set would be a pin', () => {
    const one = readCpuTopology([0], tree(cores([0])));
    expect(derived(AUDIO, one)).toEqual({ count: 1, cpus: [null] });
    expect(chosen([worker([0])], AUDIO, one)[0]!.why).toBe('not restricted: there is only one CPU');
    const two = readCpuTopology([0, 1], tree(cores([0], [1])));
    expect(derived(AUDIO_AND_RENDER, two)).toEqual({ count: 1, cpus: [null] });
    expect(chosen([worker([0])], AUDIO, two)[0]!.why).toBe(
      'not restricted: only one CPU is left beside the main thread, and no worker is tied to a single one',
    );
  });

  it('a container with gaps: siblings, rather than the core of the host', () => {
    const topology = readCpuTopology([3, 7, 8], tree(cores([0, 4], [1, 5], [2, 6], [3, 7], [8, 9])));
    // two beside the host's, of which one is its sibling: the last resort
    expect(chosen([worker([0])], AUDIO, topology)).toEqual([
      { cpus: [7, 8], why: 'all but one, also that on the same core; CPU 3 is left to the main thread' },
    ]);
    const apart = readCpuTopology([2, 3, 8], tree(cores([2], [3], [8])));
    expect(chosen([worker([0])], AUDIO, apart)).toEqual([
      { cpus: [3, 8], why: 'one of each core; CPU 2 is left to the main thread' },
    ]);
  });

  it('Intel hybrid: audio on one thread of each P-core but the host’s, the rest on P-cores, none on E-cores', () => {
    const topology = readCpuTopology(range(0, 23), tree(HYBRID));
    const { count, cpus } = derived(AUDIO_AND_RENDER, topology);
    expect(count).toBe(15);
    expect(cpus[0]).toEqual([2, 4, 6, 8, 10, 12, 14]);
    for (const set of cpus.slice(1)) expect(set).toEqual(range(0, 15));
    expect(chosen([worker([0]), worker([1])], AUDIO_AND_RENDER, topology).map(({ why }) => why)).toEqual([
      'fast CPUs, one of each core; CPU 0 is left to the main thread',
      'fast CPUs',
    ]);
  });

  it('Intel hybrid, more punctual workers: siblings before E-cores before anything', () => {
    const topology = readCpuTopology(range(0, 23), tree(HYBRID));
    const sets = (count: number) =>
      chosen(
        range(1, count).map(() => worker([0])),
        AUDIO,
        topology,
      );
    expect(sets(7)[0]!.cpus).toEqual([2, 4, 6, 8, 10, 12, 14]);
    expect(sets(8)[0]!.cpus).toEqual(range(2, 15));
    expect(sets(15)[0]!.cpus).toEqual(range(2, 23));
    expect(sets(23)[0]!.cpus).toEqual(range(1, 23));
    expect(sets(24)[0]).toEqual({
      cpus: null,
      why: 'not restricted: the 23 CPUs beside the main thread are too few for 24 such workers',
    });
  });

  it('Intel hybrid, more frame workers than P-cores: anywhere, and it says so', () => {
    const topology = readCpuTopology(range(0, 23), tree(HYBRID));
    const workers = range(1, 16).map(() => worker([1]));
    expect(chosen(workers, AUDIO_AND_RENDER, topology)[0]).toEqual({
      cpus: null,
      why: 'not restricted: the 16 fast CPUs are too few for 16 workers and the main thread',
    });
  });

  it('big.LITTLE: the host and all workers on the big cores; on one big core, anywhere', () => {
    const files = (big: number) =>
      Object.assign({}, ...range(0, 7).map((n) => core(n, [n], { cpu_capacity: n >= big ? '1024' : '400' })));
    const four = readCpuTopology(range(0, 7), tree(files(4)));
    expect(derived(AUDIO_AND_RENDER, four)).toEqual({ count: 3, cpus: [[5, 6, 7], range(4, 7), range(4, 7)] });
    const one = readCpuTopology(range(0, 7), tree(files(7)));
    const { count, cpus } = derived(AUDIO_AND_RENDER, one);
    expect(count).toBe(7);
    expect(cpus[0]).toEqual(range(0, 6));
    expect(cpus[1]).toBe(null);
  });

  it('realtime is kept off the host as audio is; normal, and frame workers of equal CPUs, run anywhere', () => {
    const topology = readCpuTopology(range(0, 3), tree(cores([0], [1], [2], [3])));
    const lanes = AUDIO_AND_RENDER;
    expect(chosen([worker([1], 'realtime'), worker([1]), worker([0], 'normal')], lanes, topology)).toEqual([
      { cpus: [1, 2, 3], why: 'one of each core; CPU 0 is left to the main thread' },
      { cpus: null, why: 'not restricted: all CPUs are equally fast' },
      { cpus: null, why: 'not restricted: priority normal' },
    ]);
  });

  it('what is given stays', () => {
    const topology = readCpuTopology(range(0, 3), tree(cores([0], [1], [2], [3])));
    expect(chosen([worker([0], 'high', [0])], AUDIO, topology)).toEqual([{ cpus: [0], why: 'as given' }]);
  });

  it('a quota bounds the workers, not where they run', () => {
    const topology = readCpuTopology(range(0, 7), tree(cores(...range(0, 7).map((cpu) => [cpu]))));
    expect(derived(AUDIO, topology, 2)).toEqual({ count: 1, cpus: [range(1, 7)] });
  });
});

describe('among whom niceness counts', () => {
  const on = { 'proc/sys/kernel/sched_autogroup_enabled': '1', 'proc/self/autogroup': '/autogroup-7 nice 0' };

  it.each([
    ['nothing is told', {}, 'everywhere'],
    ['autogroup is off', { ...on, 'proc/sys/kernel/sched_autogroup_enabled': '0' }, 'everywhere'],
    ['autogroup, control groups version 1', { ...on, 'proc/self/cgroup': '2:cpuset:/x\n1:cpu,cpuacct:/' }, 'session'],
    ['a control group version 1', { ...on, 'proc/self/cgroup': '1:cpu,cpuacct:/app' }, 'controlGroup'],
    ['version 2 without its CPU controller', { ...on, 'proc/self/cgroup': '0::/user.slice/x' }, 'session'],
    [
      'version 2, the controller on in a group above',
      { ...on, 'proc/self/cgroup': '0::/user.slice/x', 'sys/fs/cgroup/user.slice/cpu.weight': '100' },
      'controlGroup',
    ],
    [
      'version 2 in a container, which sees its own group as the root',
      { ...on, 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/cpu.weight': '100' },
      'controlGroup',
    ],
  ])('%s', (_, files, scope) => {
    expect(nicenessScope(tree(files))).toBe(scope);
  });
});
