const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Ctrl-C and its like: the first asks for an orderly end, a second one ends at once. Made before anything else, so that
 * no moment is without it.
 */
export class Interrupt {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Exit status by the signal, 0 while there was none. */
  exitStatus: number;
  private readonly controller: AbortController;
  private readonly handlers: Map<NodeJS.Signals, () => void>;

  constructor() {
    this.controller = new AbortController();
    this.signal = this.controller.signal;
    this.exitStatus = 0;
    this.handlers = new Map();
    for (const [name, status] of Object.entries(SIGNALS)) {
      const handler = (): void => this.take(status);
      this.handlers.set(name as NodeJS.Signals, handler);
      process.on(name, handler);
    }
  }

  get happened(): boolean {
    return this.exitStatus !== 0;
  }

  private take(status: number): void {
    // exit handlers put the terminal back and end the hogs
    if (this.happened) process.exit(status);
    this.exitStatus = status;
    this.controller.abort();
  }
}
