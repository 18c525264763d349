import { describeValue, FrameDeadlineError } from '../base/errors.js';
import type { TelemetryService, TelemetrySession } from '../host/telemetry-socket.js';
import { type StreamCounts, StreamRing } from '../ring/stream-ring.js';
import { collectJobTrace } from './job-trace-reader.js';
import type { ServeRequest } from './protocol.js';
import { TelemetryReader, type TelemetrySetup } from './telemetry-reader.js';

export const TELEMETRY_PROTOCOL = 1;
const REQUESTS = ['telemetry', 'window', 'misses', 'trace'] as const;

/** Xruns of a stream since its start; each number counts modulo 2^32. */
export interface StreamTelemetry extends StreamCounts {
  readonly name: string;
  readonly kind: string;
}

/**
 * What a telemetry socket answers with, on whichever thread. Each client has a window of its own, made when it first asks
 * for it; the totals are read by one reader for all.
 */
export function telemetryService(setup: TelemetrySetup, request: ServeRequest): TelemetryService {
  const streams = request.streams.map(({ name, buffer }) => ({ name, ring: StreamRing.attach(buffer) }));
  const readStreams = (): StreamTelemetry[] =>
    streams.map(({ name, ring }) => ({ name, kind: ring.kind, ...ring.counts() }));
  let totals: TelemetryReader | null = null;
  const readTotals = () => {
    totals ??= new TelemetryReader(setup, 'total');
    return totals.read();
  };
  const open = (): TelemetrySession => {
    let window: TelemetryReader | null = null;
    return {
      answer({ get, records }) {
        switch (get) {
          case 'telemetry': {
            const telemetry = readTotals();
            const kept = records === false ? { ...telemetry, misses: [], frames: [] } : telemetry;
            return { telemetry: kept, streams: readStreams() };
          }
          case 'window':
            window ??= new TelemetryReader(setup, 'window');
            return { telemetry: window.read(), streams: readStreams() };
          case 'misses': {
            const { misses, missesOverwritten } = readTotals();
            return { misses, missesOverwritten };
          }
          case 'trace': {
            const { loops, frames, misses } = readTotals();
            return { trace: collectJobTrace(setup, { loops, frames, misses, xruns: [], gc: [] }) };
          }
          default:
            throw new FrameDeadlineError(
              'OPTION_INVALID',
              `telemetry socket: "get" is ${describeValue(get)}, expected one of ${REQUESTS.join(', ')}`,
            );
        }
      },
    };
  };
  const { pid, name } = request;
  return { greeting: { frameDeadline: 'telemetry', protocol: TELEMETRY_PROTOCOL, pid, name }, open };
}
