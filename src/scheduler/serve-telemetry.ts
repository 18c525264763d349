import { checkKeys } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import type { TelemetrySockets } from '../host/telemetry-socket.js';
import { StreamRing } from '../ring/stream-ring.js';
import type { Environment } from '../telemetry/telemetry-data.js';
import { errorFromPlain } from './load-tasks.js';
import type { ServeRequest, ServeResult } from './protocol.js';

export interface ServeTelemetryOptions {
  /** Of the socket, in a folder that exists: at most 107 bytes on Linux, 103 elsewhere. On Windows a pipe, `\\.\pipe\...`. */
  path: string;
  /** What clients are told the process is. Default: the name of its main module. */
  name?: string;
  /** Streams whose xruns are told; one by the name of a lane is shown beside that lane. */
  streams?: Readonly<Record<string, StreamRing>>;
}

/** A telemetry socket that is served. */
export interface ServedTelemetry {
  /** Absolute. */
  readonly path: string;
  /** Ends all connections and removes the socket. Calling it again gives the same promise. Never rejects. */
  close(): Promise<void>;
}

/** Who serves a scheduler's telemetry sockets: its supervisor, or in inline mode this thread. */
export interface TelemetryHost {
  readonly sockets: TelemetrySockets;
  serve(request: ServeRequest): Promise<ServeResult>;
  stop(id: number): Promise<void>;
}

const MAX_NAME_CHARS = 200;
const MAX_STREAMS = 64;

/** @throws FrameDeadlineError as `Scheduler.serveTelemetry` */
export async function serveTelemetryOn(
  host: TelemetryHost | undefined,
  options: ServeTelemetryOptions,
  environment: Environment,
  workers: ServeRequest['workers'],
): Promise<ServedTelemetry> {
  if (host === undefined) {
    throw new FrameDeadlineError(
      'OPTION_INVALID',
      environment.runtime === 'virtual'
        ? 'serveTelemetry: a test scheduler serves no sockets; read telemetry() or snapshot()'
        : 'serveTelemetry: there are no local sockets on this platform',
    );
  }
  const { path, name, streams } = checkServeOptions(options);
  const { pid, name: defaultName, removeAtExit } = host.sockets;
  const named = workers.map((worker) => ({ name: worker.name, lanes: worker.lanes }));
  const request: ServeRequest = { path, pid, name: name ?? defaultName, environment, workers: named, streams };
  const result = await host.serve(request);
  if (!result.ok) throw errorFromPlain(result.error);
  const undo = removeAtExit(result.path, result.identity);
  let closing: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    try {
      await host.stop(result.id);
      undo();
    } catch {
      // its thread is gone: what is left of the socket goes at the process's end
    }
  };
  return {
    path: result.path,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function checkServeOptions(options: ServeTelemetryOptions): Pick<ServeRequest, 'path' | 'streams'> & { name?: string } {
  checkKeys('the options of serveTelemetry', options, ['path', 'name', 'streams']);
  const { path, name, streams = {} } = options;
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    invalid('path', path, 'the path of a socket that is to be made');
  }
  if (name !== undefined && (typeof name !== 'string' || name.length > MAX_NAME_CHARS)) {
    invalid('name', name, `a text of at most ${MAX_NAME_CHARS} characters`);
  }
  if (typeof streams !== 'object' || streams === null) invalid('streams', streams, 'an object of StreamRings by name');
  const entries = Object.entries(streams);
  if (entries.length > MAX_STREAMS) invalid('streams', streams, `at most ${MAX_STREAMS} streams`);
  return {
    path,
    ...(name === undefined ? {} : { name }),
    streams: entries.map(([streamName, ring]) => {
      if (ring instanceof StreamRing && ring.buffer instanceof SharedArrayBuffer) {
        return { name: streamName, buffer: ring.buffer };
      }
      return invalid(`streams.${streamName}`, ring, 'a StreamRing in shared memory');
    }),
  };
}

function invalid(what: string, value: unknown, expected: string): never {
  throw new FrameDeadlineError(
    'OPTION_INVALID',
    `${what} of serveTelemetry is ${describeValue(value)}, expected ${expected}`,
  );
}
