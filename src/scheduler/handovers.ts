import type { AttachRequest } from './protocol.js';
import { type GivenAgain, type Handover, transferListOfHandovers } from './transfer.js';

/**
 * Passes on what lanes transfer to their workers, and asks the host for it anew when one starts again. Supervisor.
 */
export class Handovers {
  private readonly requests: AttachRequest[];
  private readonly wanted: number[];
  private readonly waiting: Map<number, (given: GivenAgain) => void>;
  private onWanted: ((worker: number | null) => void) | null;
  private isClosed: boolean;

  constructor(requests: readonly AttachRequest[]) {
    this.requests = [...requests];
    this.wanted = [];
    this.waiting = new Map();
    this.onWanted = null;
    this.isClosed = false;
  }

  /** What a worker's thread is told when it attaches. Waits for the host where that has to give something. */
  async requestFor(worker: number): Promise<AttachRequest> {
    const request = this.requests[worker]!;
    const handovers = request.handovers ?? [];
    if (handovers.length === 0) return request;
    if (handovers.some(({ things }) => things !== null)) {
      this.requests[worker] = { ...request, handovers: handovers.map(spent), transferList: [] };
      return request;
    }
    if (!handovers.some(({ isRepeatable }) => isRepeatable)) return request;
    const given = await this.ask(worker);
    if (!given.ok) throw new Error(given.message);
    return { ...request, handovers: given.handovers, transferList: transferListOfHandovers(given.handovers) };
  }

  /** The host asks which worker wants something. null: none will any more. */
  next(): Promise<number | null> {
    const worker = this.wanted.shift();
    if (worker !== undefined || this.isClosed) return Promise.resolve(worker ?? null);
    return new Promise((resolve) => {
      this.onWanted = resolve;
    });
  }

  give(worker: number, given: GivenAgain): void {
    this.waiting.get(worker)?.(given);
    this.waiting.delete(worker);
  }

  close(): void {
    this.isClosed = true;
    this.onWanted?.(null);
    for (const worker of this.waiting.keys()) this.give(worker, { ok: false, message: 'the scheduler was closed' });
  }

  private ask(worker: number): Promise<GivenAgain> {
    return new Promise((resolve) => {
      this.waiting.set(worker, resolve);
      if (this.isClosed) this.close();
      else if (this.onWanted === null) this.wanted.push(worker);
      else {
        this.onWanted(worker);
        this.onWanted = null;
      }
    });
  }
}

function spent(handover: Handover): Handover {
  return { ...handover, things: null };
}
