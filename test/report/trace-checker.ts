/**
 * Reads a trace as the Trace Event Format document has it and as Perfetto's JSON importer does, and throws at what either would
 * drop, misplace or ignore. Written from the format's description, not from the exporter.
 */
export interface ReadSlice {
  readonly name: string;
  readonly category: string;
  readonly process: string;
  readonly track: string;
  readonly startUs: number;
  readonly endUs: number;
  readonly depth: number;
  readonly parent: ReadSlice | null;
  readonly args: Record<string, unknown>;
}
export interface ReadTrace {
  readonly slices: ReadSlice[];
  readonly instants: { name: string; process: string; track: string; atUs: number; args: Record<string, unknown> }[];
  readonly counters: Map<string, [atUs: number, value: number][]>;
  readonly flows: { from: ReadSlice; to: ReadSlice }[];
  readonly tracks: string[];
  readonly other: Record<string, unknown>;
}

interface Event {
  ph: string;
  name: string;
  cat?: string;
  pid: number;
  tid?: number;
  ts?: number;
  dur?: number;
  id?: number;
  s?: string;
  bp?: string;
  args?: Record<string, unknown>;
}

function fail(what: string, event: unknown): never {
  throw new Error(`${what}: ${JSON.stringify(event)}`);
}

export function readTrace(json: string): ReadTrace {
  const file = JSON.parse(json) as { traceEvents: Event[]; otherData: Record<string, unknown> };
  const processes = new Map<number, string>();
  const threads = new Map<number, string>();
  const processOfThread = new Map<number, number>();
  for (const event of file.traceEvents) {
    if (event.ph !== 'M') continue;
    if (event.name === 'process_name') {
      if (processes.has(event.pid)) fail('a second name', event);
      processes.set(event.pid, event.args!['name'] as string);
    } else if (event.name === 'thread_name') {
      if (threads.has(event.tid!)) fail('a second thread of that number', event);
      threads.set(event.tid!, event.args!['name'] as string);
      processOfThread.set(event.tid!, event.pid);
    } else if (!['process_sort_index', 'thread_sort_index'].includes(event.name)) fail('unknown metadata', event);
  }
  const result: ReadTrace = {
    slices: [],
    instants: [],
    counters: new Map(),
    flows: [],
    tracks: [...threads].map(([tid, name]) => `${processes.get(processOfThread.get(tid)!)}/${name}`),
    other: file.otherData,
  };
  const stacks = new Map<number, ReadSlice[]>();
  const begun = new Map<string, ReadSlice>();
  const ended = new Set<string>();
  let lastUs = Number.NEGATIVE_INFINITY;
  for (const event of file.traceEvents) {
    const { ph, ts, pid, tid } = event;
    if (ph === 'M') continue;
    if (!Number.isFinite(ts)) fail('no moment', event);
    if (ts! < lastUs) fail('not in order of time', event);
    lastUs = ts!;
    const process = processes.get(pid) ?? fail('a process without a name', event);
    if (ph === 'C') {
      const values = Object.values(event.args!);
      if (values.length !== 1 || !Number.isFinite(values[0])) fail('not one number', event);
      const key = `${process}/${event.name}`;
      let counter = result.counters.get(key);
      if (counter === undefined) {
        counter = [];
        result.counters.set(key, counter);
      }
      counter.push([ts!, values[0] as number]);
      continue;
    }
    const track = threads.get(tid!) ?? fail('a thread without a name', event);
    if (processOfThread.get(tid!) !== pid) fail('a thread of another process', event);
    if (typeof event.name !== 'string' || event.name === '') fail('no name', event);
    const stack = stacks.get(tid!) ?? [];
    stacks.set(tid!, stack);
    if (ph === 'X') {
      if (!(event.dur! >= 0)) fail('no duration', event);
      while (stack.length > 0 && stack[stack.length - 1]!.endUs <= ts!) stack.pop();
      const parent = stack[stack.length - 1] ?? null;
      const endUs = ts! + event.dur!;
      if (parent !== null && endUs > parent.endUs) fail(`overlaps ${JSON.stringify(parent.name)}`, event);
      const slice = {
        name: event.name,
        category: event.cat!,
        process,
        track,
        startUs: ts!,
        endUs,
        depth: stack.length,
        parent,
        args: event.args!,
      };
      stack.push(slice);
      if (stack.length > 100) fail('too deep', event);
      result.slices.push(slice);
    } else if (ph === 'i') {
      if (event.s !== 't') fail('an instant without a scope', event);
      result.instants.push({ name: event.name, process, track, atUs: ts!, args: event.args! });
    } else if (ph === 's' || ph === 'f') {
      const top = stack[stack.length - 1];
      if (top === undefined || top.startUs > ts! || top.endUs < ts!) fail('a flow outside any slice', event);
      const key = `${event.cat} ${event.name} ${event.id}`;
      if (ph === 's') {
        if (begun.has(key)) fail('a flow that began before', event);
        begun.set(key, top!);
      } else {
        if (event.bp !== 'e') fail('would go to the next slice', event);
        if (ended.has(key)) fail('a flow that ended before', event);
        ended.add(key);
        result.flows.push({ from: begun.get(key) ?? fail('a flow without a beginning', event), to: top! });
      }
    } else fail('a phase that is not expected', event);
  }
  if (begun.size !== ended.size) throw new Error(`${begun.size} flows begin, ${ended.size} end`);
  return result;
}
