import type { Answer, MemoryLock, ThreadReport } from '../host/thread-control.js';
import type { NormalOptions, NormalWorker } from './options.js';
import type { Plan } from './plan.js';
import type { WorkerState } from './protocol.js';

export interface WorkerDescription {
  readonly name: string;
  readonly lanes: readonly string[];
  readonly state: WorkerState['state'] | 'inline';
  /** What was asked of the operating system and what is in force; null in inline mode. */
  readonly thread: ThreadReport | null;
  /** Why these CPUs were asked for, or none, in words. */
  readonly cpusReason: string | null;
  /** When its garbage is collected: what was asked, what is in force, how, and why less. */
  readonly gc: Answer<'auto' | 'inSlack'>;
  readonly deaths: number;
  readonly lastDeath: string | null;
  /** Warm spares that are ready to take its place, shared with the workers that are like it. */
  readonly spares: number;
  /** Its threads that hang in native code and cannot be ended. */
  readonly writtenOff: number;
}

/** A task that is not run any more because it ended its worker time after time: its submits are refused. */
export interface QuarantinedTaskDescription {
  readonly lane: string;
  readonly task: string;
  /** How often it ended its worker within a minute. */
  readonly deaths: number;
  /** Why the last of these workers ended. */
  readonly lastDeath: string;
}

/** What is in force. `String(description)` tells it in words. */
export interface Description {
  readonly mode: 'threads' | 'inline';
  readonly allowedCpus: readonly number[];
  readonly lanes: readonly {
    readonly name: string;
    readonly tasks: readonly string[];
    /** URL of the task module; null where there is none. */
    readonly module: string | null;
    readonly deadlineMs: number;
    readonly everyMs: number | null;
    readonly onExpired: 'run' | 'drop';
    readonly onFull: 'refuse' | 'dropOldest';
    readonly admission: 'off' | 'estimate';
    /** Weighed with `admission: 'estimate'`. */
    readonly importance: number;
    readonly capacitySlots: number;
    readonly bytes: number;
    readonly workers: readonly string[];
  }[];
  readonly workers: readonly WorkerDescription[];
  readonly quarantined: readonly QuarantinedTaskDescription[];
  readonly bytes: { readonly rings: number; readonly telemetry: number; readonly control: number };
  /** What `lockMemory` came to; null if it was not asked for. */
  readonly memoryLock: MemoryLock | null;
  /** Placements that may hurt. */
  readonly warnings: readonly string[];
  toString(): string;
}

export function describeScheduler(
  options: NormalOptions,
  placed: readonly NormalWorker[],
  derived: boolean,
  plan: Plan,
  states: readonly WorkerState[],
  allowedCpus: readonly number[],
  memoryLock: MemoryLock | null,
): Description {
  const lanes = options.lanes.map((lane) => {
    const own = plan.tasks.filter((task) => task.lane === lane.index);
    const periodic = plan.lanes[lane.index]!.periodic;
    return {
      name: lane.name,
      tasks: own.map((task) => task.name),
      module: lane.tasks,
      deadlineMs:
        periodic === null ? Math.min(...own.map((task) => task.deadlineUs)) / 1000 : periodic.deadlineUs / 1000,
      everyMs: lane.periodic?.everyMs ?? null,
      onExpired: lane.onExpired,
      onFull: lane.onFull,
      admission: lane.admission,
      importance: lane.importance,
      capacitySlots: lane.capacitySlots,
      bytes: plan.bytes.rings[lane.index]!,
      workers: placed.filter((worker) => worker.lanes.includes(lane.index)).map((worker) => worker.name),
    };
  });
  const workers = placed.map((worker, index): WorkerDescription => {
    const state = states[index];
    return {
      name: worker.name,
      lanes: worker.lanes.map((lane) => options.lanes[lane]!.name),
      state: state?.state ?? 'inline',
      thread: state?.report ?? null,
      cpusReason: worker.cpusReason ?? null,
      gc: state?.report?.gc ?? notCollected(worker, options.mode, state?.report != null),
      deaths: state?.deaths ?? 0,
      lastDeath: state?.lastDeath ?? null,
      spares: state?.spares ?? 0,
      writtenOff: state?.writtenOff ?? 0,
    };
  });
  const quarantined = states
    .flatMap((state) => state.quarantined ?? [])
    .map(({ task, deaths, lastDeath }): QuarantinedTaskDescription => {
      const { lane, name } = plan.tasks[task]!;
      return { lane: options.lanes[lane]!.name, task: name, deaths, lastDeath };
    });
  const warnings = lanes
    .filter((lane) => lane.everyMs !== null)
    .flatMap((lane) => {
      const shared = workers.filter((worker) => worker.lanes.includes(lane.name) && worker.lanes.length > 1);
      return shared.map(
        (worker) =>
          `lane ${lane.name} has a period of ${lane.everyMs} ms and no worker of its own: ${worker.name} also serves ${worker.lanes.filter((name) => name !== lane.name).join(', ')}; a long job there delays it`,
      );
    });
  for (const worker of placed) {
    const turning = worker.lanes.filter((lane) => options.lanes[lane]!.eventLoop);
    const others = worker.lanes.filter((lane) => !options.lanes[lane]!.eventLoop);
    if (options.mode === 'inline' || turning.length === 0 || others.length === 0) continue;
    const names = (of: readonly number[]): string => of.map((lane) => options.lanes[lane]!.name).join(', ');
    warnings.push(
      `worker ${worker.name} returns to its event loop between jobs for ${names(turning)}: it also wakes up later for ${names(others)}`,
    );
  }
  for (const lane of lanes) {
    const own = workers.filter((worker) => worker.lanes.includes(lane.name));
    if (own.length === 0 || own.some(({ state }) => state !== 'gone')) continue;
    const why = own.map(({ name, lastDeath }) => `${name}: ${lastDeath}`).join('; ');
    warnings.push(`no worker serves lane ${lane.name} any more, its jobs are refused (noWorker). ${why}`);
  }
  const bytes = {
    rings: plan.bytes.rings.reduce((sum, ring) => sum + ring, 0),
    telemetry: plan.bytes.telemetry,
    control: plan.bytes.control,
  };
  const described = { mode: options.mode, allowedCpus, lanes, workers, quarantined, bytes, memoryLock, warnings };
  return Object.defineProperty(described, 'toString', { value: () => inWords(described, derived) }) as Description;
}

/** Of a worker that has not told: it has not attached, or has no thread of its own. */
function notCollected(worker: NormalWorker, mode: 'threads' | 'inline', hasTold: boolean): WorkerDescription['gc'] {
  const requested = worker.gc ?? 'auto';
  if (requested === 'auto') return { requested, effective: 'auto', mechanism: null, reason: null };
  const where = mode === 'inline' ? 'handlers run in the calling thread' : 'the worker does not serve yet';
  const reason = hasTold ? 'its thread does not tell' : where;
  return { requested, effective: 'auto', mechanism: null, reason };
}

function gcInWords({ requested, effective, mechanism, reason }: WorkerDescription['gc']): string {
  if (requested === 'auto') return '';
  if (effective === 'inSlack') return `, garbage collected in slack time by ${mechanism}`;
  return `, garbage collected when the runtime sees fit (asked inSlack; ${reason})`;
}

function inWords(of: Omit<Description, 'toString'>, derived: boolean): string {
  const kib = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;
  const placement =
    of.mode === 'inline'
      ? 'handlers run in the calling thread'
      : derived
        ? 'workers derived from lanes and CPUs'
        : 'workers as given';
  const lines = [`${placement}; CPUs allowed: ${of.allowedCpus.join(', ')}`];
  for (const lane of of.lanes) {
    const period = lane.everyMs === null ? '' : `, every ${lane.everyMs} ms`;
    const expired = lane.onExpired === 'drop' ? 'dropped' : 'run';
    const full = lane.onFull === 'dropOldest' ? ' (full: the oldest is dropped)' : '';
    const admission = lane.admission === 'off' ? '' : `, admission by estimate (importance ${lane.importance})`;
    lines.push(
      `lane ${lane.name}: deadline ${lane.deadlineMs} ms${period}, expired jobs are ${expired}${admission}, ${lane.capacitySlots} slots${full}, ${kib(lane.bytes)}; tasks ${lane.tasks.join(', ')}; served by ${lane.workers.join(', ')}`,
    );
  }
  for (const worker of of.workers) {
    const { thread } = worker;
    const gc = gcInWords(worker.gc);
    const died = worker.deaths === 0 ? '' : `, died ${worker.deaths} times, last: ${worker.lastDeath}`;
    const spares = worker.spares === 0 ? '' : `, ${worker.spares} warm ${worker.spares === 1 ? 'spare' : 'spares'}`;
    const stuck = worker.writtenOff === 1 ? '1 thread hangs' : `${worker.writtenOff} threads hang`;
    const deaths = `${spares}${died}${worker.writtenOff === 0 ? '' : `, ${stuck} in native code and cannot be ended`}`;
    if (thread === null) {
      lines.push(`worker ${worker.name} serves ${worker.lanes.join(', ')}: ${worker.state}${gc}${deaths}`);
      continue;
    }
    const { priority, cpus } = thread;
    const how = priority.mechanism === null ? '' : ` by ${priority.mechanism}`;
    const why = priority.reason === null ? '' : ` (asked ${priority.requested}; ${priority.reason})`;
    const note = priority.note === undefined ? '' : ` (${priority.note})`;
    const cpuList = cpus.effective === null ? 'unknown' : cpus.effective.join(', ');
    const asked = cpus.requested === null ? '' : `asked ${cpus.requested.join(', ')}; `;
    const cpuWhy = cpus.reason === null ? '' : ` (${asked}${cpus.reason})`;
    const rule = worker.cpusReason === null ? '' : ` (${worker.cpusReason})`;
    lines.push(
      `worker ${worker.name} serves ${worker.lanes.join(', ')}: ${worker.state}, priority ${priority.effective}${how}${why}${note}, CPUs ${cpuList}${rule}${cpuWhy}${gc}${deaths}`,
    );
  }
  lines.push(
    `memory: rings ${kib(of.bytes.rings)}, telemetry ${kib(of.bytes.telemetry)}, control ${kib(of.bytes.control)}`,
  );
  if (of.memoryLock !== null) {
    const { requestedBytes, lockedBytes, mechanism, reason } = of.memoryLock;
    const how = mechanism === null ? '' : ` by ${mechanism}`;
    const why = reason === null ? '' : ` (${reason})`;
    lines.push(`memory lock: ${kib(lockedBytes)} of ${kib(requestedBytes)} locked${how}${why}`);
  }
  for (const { lane, task, deaths, lastDeath } of of.quarantined) {
    lines.push(`task ${lane}.${task} is quarantined: it ended its worker ${deaths} times, last: ${lastDeath}`);
  }
  for (const warning of of.warnings) lines.push(`warning: ${warning}`);
  return lines.join('\n');
}
