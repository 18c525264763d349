/**
 * CPU profiles as V8's inspector gives them (Chrome DevTools Protocol, type Profiler.Profile), which is also what a
 * `.cpuprofile` file holds. Times in microseconds of V8's own clock, ids from 1.
 */
export interface CpuProfile {
  readonly nodes: readonly CpuProfileNode[];
  readonly startTime: number;
  readonly endTime: number;
  /** Id of the node at each sample. */
  readonly samples: readonly number[];
  /** From the sample before, the first one from `startTime`. */
  readonly timeDeltas: readonly number[];
}

export interface CpuProfileNode {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly scriptId: string;
    readonly url: string;
    /** From 0; -1 where there is none. */
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly hitCount: number;
  readonly children?: readonly number[];
}

/** A function and the time in itself, without what it called. */
export interface HotFunction {
  /** V8's own names in brackets, such as `(garbage collector)`. */
  readonly name: string;
  /** File and line from 1, or null for what has none. */
  readonly place: string | null;
  readonly selfMs: number;
}

/** The part of a profile between two moments, whole in itself: nodes that it does not need are left out. */
export function cutProfile(profile: CpuProfile, fromUs: number, toUs: number): CpuProfile {
  const samples: number[] = [];
  const timeDeltas: number[] = [];
  const hits = new Map<number, number>();
  let previousUs = Math.max(fromUs, profile.startTime);
  const startTime = previousUs;
  forEachSample(profile, (id, atUs) => {
    if (atUs < startTime || atUs > toUs) return;
    samples.push(id);
    timeDeltas.push(atUs - previousUs);
    hits.set(id, (hits.get(id) ?? 0) + 1);
    previousUs = atUs;
  });
  const parents = new Map<number, number>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const needed = new Set<number>([profile.nodes[0]!.id]);
  for (const id of hits.keys()) {
    for (let at: number | undefined = id; at !== undefined && !needed.has(at); at = parents.get(at)) needed.add(at);
  }
  const nodes = profile.nodes
    .filter(({ id }) => needed.has(id))
    .map(({ id, callFrame, children = [] }) => ({
      id,
      callFrame,
      hitCount: hits.get(id) ?? 0,
      children: children.filter((child) => needed.has(child)),
    }));
  return { nodes, startTime, endTime: Math.min(toUs, profile.endTime), samples, timeDeltas };
}

/** The functions with the most time in themselves between two moments, the most first. */
export function hotFunctions(profile: CpuProfile, fromUs: number, toUs: number, most = 10): HotFunction[] {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const selfUs = new Map<string, { name: string; place: string | null; us: number }>();
  let current: CpuProfileNode | undefined;
  let sinceUs = profile.startTime;
  const charge = (untilUs: number): void => {
    const us = Math.min(untilUs, toUs) - Math.max(sinceUs, fromUs);
    if (current === undefined || us <= 0) return;
    const { functionName, url, lineNumber } = current.callFrame;
    const name = functionName === '' ? '(anonymous)' : functionName;
    const place = url === '' ? null : `${url}:${lineNumber + 1}`;
    const key = `${name} ${place}`;
    const entry = selfUs.get(key) ?? { name, place, us: 0 };
    entry.us += us;
    selfUs.set(key, entry);
  };
  forEachSample(profile, (id, atUs) => {
    charge(atUs);
    current = nodes.get(id);
    sinceUs = atUs;
  });
  charge(profile.endTime);
  return [...selfUs.values()]
    .sort((a, b) => b.us - a.us)
    .slice(0, most)
    .map(({ name, place, us }) => ({ name, place, selfMs: us / 1000 }));
}

function forEachSample(
  { samples, timeDeltas, startTime }: CpuProfile,
  visit: (id: number, atUs: number) => void,
): void {
  let atUs = startTime;
  samples.forEach((id, i) => {
    // a sample can be taken a moment before the one that was written first
    atUs += Math.max(0, timeDeltas[i]!);
    visit(id, atUs);
  });
}
