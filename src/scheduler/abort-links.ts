/** What is cancelled when a signal is aborted. */
export interface Abortable {
  /** @internal Not in the declarations: those who have it do not declare it either. */
  onAbort(): void;
}

interface Link {
  readonly members: Set<Abortable>;
  readonly listener: () => void;
}

/**
 * Which jobs and frames are cancelled by which AbortSignal. However many there are, a signal has one listener, and none
 * once all of them are over: a signal that lives as long as the app collects nothing. Host thread only.
 */
export class AbortLinks {
  private readonly links: Map<AbortSignal, Link>;
  private readonly aborted: () => void;

  /** `aborted`: told after the members of a signal were. */
  constructor(aborted: () => void) {
    this.links = new Map();
    this.aborted = aborted;
  }

  /** The signal is not aborted yet. Allocates. */
  add(signal: AbortSignal, member: Abortable): void {
    let link = this.links.get(signal);
    if (link === undefined) {
      link = { members: new Set(), listener: () => this.abort(signal) };
      this.links.set(signal, link);
      signal.addEventListener('abort', link.listener, { once: true });
    }
    link.members.add(member);
  }

  /** Forgets one, if it is there. */
  remove(signal: AbortSignal, member: Abortable): void {
    const link = this.links.get(signal);
    if (link === undefined) return;
    link.members.delete(member);
    if (link.members.size > 0) return;
    this.links.delete(signal);
    signal.removeEventListener('abort', link.listener);
  }

  /** Forgets all. */
  clear(): void {
    for (const [signal, { listener }] of this.links) signal.removeEventListener('abort', listener);
    this.links.clear();
  }

  private abort(signal: AbortSignal): void {
    const link = this.links.get(signal)!;
    this.links.delete(signal);
    // the youngest first: a worker that the oldest lets go takes none of those behind it
    for (const member of [...link.members].reverse()) member.onAbort();
    this.aborted();
  }
}
