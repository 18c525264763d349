/** What answers one client of a telemetry socket. Made when it connects; keeps what is the client's own, such as its window. */
export interface TelemetrySession {
  /**
   * The members of the answer. Called on the serving thread, one request at a time.
   * @throws FrameDeadlineError for a request that it does not understand
   */
  answer(request: Readonly<Record<string, unknown>>): Record<string, unknown>;
}

/** What a telemetry socket serves. */
export interface TelemetryService {
  /** Members of the first line that each client gets. */
  readonly greeting: Readonly<Record<string, unknown>>;
  open(): TelemetrySession;
}

/** A socket that is listened on. */
export interface ServedSocket {
  /** Absolute. */
  readonly path: string;
  /** Tells this socket from another one at the same path later; null where the system removes it by itself. */
  readonly identity: string | null;
  /** Ends all connections and removes the socket. Never rejects. */
  close(): Promise<void>;
}

/**
 * Listens on a local socket that other users cannot connect to, from the calling thread, without keeping the process alive.
 * @throws FrameDeadlineError TELEMETRY_PATH_IN_USE, OPTION_INVALID for a path that cannot be a socket, OUTPUT_UNWRITABLE
 */
export type ServeTelemetry = (path: string, service: TelemetryService) => Promise<ServedSocket>;

/** Telemetry sockets of a platform. */
export interface TelemetrySockets {
  /** This process, as clients are told. */
  readonly pid: number;
  readonly name: string;
  readonly serve: ServeTelemetry;
  /** Removes a socket at the end of the process, of which the thread that serves it is not told. Returns what undoes it. */
  removeAtExit(path: string, identity: string | null): () => void;
}
