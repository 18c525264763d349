import type { Miss, Snapshot, Telemetry } from 'frame-deadline';

// What main, preload, utility process and page agree on. All of it survives structured cloning.

/** The processes that have a scheduler besides the page: no memory is shared between processes. */
export type TelemetrySource = 'main' | 'utility';

export interface TelemetryUpdate {
  readonly source: TelemetrySource;
  /** Of the process. */
  readonly pid: number;
  readonly ended: null;
  /** Counts and latencies since the start of its scheduler. */
  readonly snapshot: Snapshot;
  /** Those since the update before, at most 32. */
  readonly misses: readonly Miss[];
}

/** The last message of a subscription: the process has gone. Subscribe again for the one that replaces it. */
export interface SourceEnded {
  readonly source: TelemetrySource;
  readonly ended: string;
}

export type TelemetryMessage = TelemetryUpdate | SourceEnded;

/** What the preload script gives the page as `frameTelemetry`, and nothing else. */
export interface FrameTelemetryApi {
  /** Calls back four times a second, and once when the source has ended. Returns the function that unsubscribes. */
  subscribe(source: TelemetrySource, listener: (message: TelemetryMessage) => void): () => void;
  /** Everything that the main process measured, for `htmlReport` and the exporters. */
  read(): Promise<Telemetry>;
}

/** Names of the IPC channels: a sandboxed preload script can import no module, so it repeats them under these types. */
export interface Channels {
  subscribe: 'frame-telemetry:subscribe';
  unsubscribe: 'frame-telemetry:unsubscribe';
  update: 'frame-telemetry:update';
  read: 'frame-telemetry:read';
  /** Carries a MessagePort for the utility process. */
  connectUtility: 'frame-telemetry:connect-utility';
}

declare global {
  var frameTelemetry: FrameTelemetryApi;
}
