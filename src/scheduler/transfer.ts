import { FrameDeadlineError } from '../base/errors.js';
import type { NormalLane, NormalWorker } from './options.js';

/** Objects that can be transferred (ports, canvases, buffers ...), by the names that handlers see them by. */
export type Transferred = Readonly<Record<string, object>>;

/** The worker that starts. */
export interface TransferTarget {
  readonly workerIndex: number;
  readonly workerName: string;
  /** It takes the place of one that died, or that `scheduler.reload` replaces. */
  readonly isReplacement: boolean;
}

/** What a lane's `transfer` has for one worker. */
export interface Handover {
  readonly lane: number;
  readonly laneName: string;
  readonly names: readonly string[];
  /** null: it went to a worker that has died. */
  readonly things: Transferred | null;
  /** A replacement gets such things anew. */
  readonly isRepeatable: boolean;
}

/** The host's answer to a worker that starts again. */
export type GivenAgain =
  | { readonly ok: true; readonly handovers: readonly Handover[]; readonly transferList: readonly object[] }
  | { readonly ok: false; readonly message: string };

export function transferListOfHandovers(handovers: readonly Handover[]): readonly object[] {
  return handovers.flatMap(({ things }) => (things === null ? [] : Object.values(things)));
}

/** Calls a lane's `transfer`, or takes what it is. Rejects with OPTION_INVALID for what nothing can transfer. */
export async function transferredOf(lane: NormalLane, target: TransferTarget): Promise<Transferred> {
  const { transfer } = lane;
  if (typeof transfer !== 'function') return transfer ?? {};
  const things = await transfer(target);
  checkTransferred(`lanes.${lane.name}.transfer()`, things, lane.shared);
  return things;
}

/** What a worker is given when it starts: `isReplacement` leaves out what there is only once. */
export function handoversFor(
  lanes: readonly NormalLane[],
  worker: NormalWorker,
  workerIndex: number,
  isReplacement: boolean,
): Promise<Handover[]> {
  const target: TransferTarget = { workerIndex, workerName: worker.name, isReplacement };
  const transferring = worker.lanes.map((lane) => lanes[lane]!).filter((lane) => lane.transfer !== null);
  return Promise.all(
    transferring.map(async (lane): Promise<Handover> => {
      const isRepeatable = typeof lane.transfer === 'function';
      const things = isReplacement && !isRepeatable ? null : await transferredOf(lane, target);
      const names = Object.keys(things ?? (lane.transfer as Transferred));
      return { lane: lane.index, laneName: lane.name, names, things, isRepeatable };
    }),
  );
}

/** Lanes whose handlers run in this thread: what would be transferred is there already. */
export function lanesWithOwnThings(lanes: readonly NormalLane[]): Promise<NormalLane[]> {
  return Promise.all(
    lanes.map(async (lane) => {
      if (lane.transfer === null) return lane;
      const target = { workerIndex: 0, workerName: 'main', isReplacement: false };
      return { ...lane, shared: { ...lane.shared, ...(await transferredOf(lane, target)) } };
    }),
  );
}

/** What handlers see: reading what went with a dead worker throws, and says so. */
export function sharedWith(shared: Readonly<Record<string, unknown>>, handover: Handover): Record<string, unknown> {
  const { things, names, laneName } = handover;
  if (things !== null) return { ...shared, ...things };
  const seen = { ...shared };
  for (const name of names) {
    Object.defineProperty(seen, name, {
      get: () => {
        throw new FrameDeadlineError(
          'WORKER_DIED',
          `lane ${laneName}: shared.${name} was transferred to a worker that has died, and with it it is gone; make lanes.${laneName}.transfer a function, which is called for each worker that starts`,
        );
      },
    });
  }
  return seen;
}

/** @throws FrameDeadlineError OPTION_INVALID */
export function checkTransferred(what: string, things: unknown, shared: Readonly<Record<string, unknown>>): void {
  const fail = (message: string): never => {
    throw new FrameDeadlineError('OPTION_INVALID', message);
  };
  if (typeof things !== 'object' || things === null || Array.isArray(things)) {
    fail(`${what} is ${String(things)}, expected an object of things that can be transferred, by name`);
  }
  for (const [name, thing] of Object.entries(things as object)) {
    const of = (thing as object | null)?.constructor?.name ?? String(thing);
    if (name in shared)
      fail(`${what}.${name}: lanes' option \`shared\` has a ${name} too, handlers see both by that name`);
    if (typeof thing !== 'object' || thing === null)
      fail(`${what}.${name} is ${of}, expected something that can be transferred`);
    if (of === 'HTMLCanvasElement')
      fail(`${what}.${name} is a canvas of the page, expected its transferControlToOffscreen()`);
    if (of === 'SharedArrayBuffer') fail(`${what}.${name} is shared memory, expected in \`shared\`: it does not move`);
    if (ArrayBuffer.isView(thing)) fail(`${what}.${name} is a ${of}, expected its buffer: that is what moves`);
  }
}

/** What the platform says of things that it cannot transfer, in words that name the lanes. */
export function untransferable(error: unknown, lanes: readonly NormalLane[]): unknown {
  const { name, code, message } = error as { name?: string; code?: string; message?: string };
  const isOurs = error instanceof FrameDeadlineError;
  const isPlatforms =
    ['DataCloneError', 'InvalidStateError', 'TypeError'].includes(String(name)) || String(code).startsWith('ERR_');
  const transferring = lanes.filter((lane) => lane.transfer !== null).map((lane) => `lanes.${lane.name}.transfer`);
  if (isOurs || !isPlatforms || transferring.length === 0) return error;
  return new FrameDeadlineError(
    'OPTION_INVALID',
    `${transferring.join(', ')}: ${message}, expected ports, buffers, canvases and what else can be transferred, each once and not yet in use`,
    { cause: error },
  );
}
