import { statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { checkKeys } from '../base/check-keys.js';
import { describeValue, FrameDeadlineError } from '../base/errors.js';
import { LineSplitter, TOO_LONG } from '../host/node/line-splitter.js';
import type { StreamTelemetry } from '../scheduler/telemetry-service.js';
import type { JobTrace } from '../telemetry/job-trace-data.js';
import type { Miss, Telemetry } from '../telemetry/telemetry-data.js';
import { findFault, type JsonSchema } from './json-schema.js';
import { checkTelemetry } from './parse-telemetry.js';
import { telemetrySchema } from './telemetry-schema.js';

export type { StreamTelemetry } from '../scheduler/telemetry-service.js';

const PROTOCOL = 1;
/** A trace of the largest size takes about this. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** Of the first line: who is there is not known yet. */
const MAX_GREETING_BYTES = 64 * 1024;
const DEFAULT_TIMEOUT_MS = 5000;
const MAX_TIMEOUT_MS = 600_000;
/** @internal Part of the message where the other side is there and silent. */
export const NO_ANSWER = 'it did not answer for';

export interface ConnectTelemetryOptions {
  /** How long to wait for the connection and for each answer, in milliseconds, 1 to 600 000. Default 5000. */
  timeoutMs?: number;
}

/** What a client is told about the process. */
export interface ServedProcess {
  readonly pid: number;
  readonly name: string;
}

export interface ServedReading {
  readonly telemetry: Telemetry;
  /** Xruns since each stream's start. */
  readonly streams: readonly StreamTelemetry[];
}

interface Pending {
  readonly resolve: (answer: Readonly<Record<string, unknown>>) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Connects to the socket that an app serves with `scheduler.serveTelemetry({ path })`. Node only. The connection keeps
 * the process alive until `close()`.
 *
 * Rejects with a FrameDeadlineError: TELEMETRY_UNREACHABLE if nobody answers there, or something else than telemetry
 * does; OPTION_INVALID.
 */
export async function connectTelemetry(path: string, options: ConnectTelemetryOptions = {}): Promise<TelemetryClient> {
  checkKeys('the options of connectTelemetry', options, ['timeoutMs']);
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  if (!(typeof timeoutMs === 'number' && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)) {
    const given = `timeoutMs of connectTelemetry is ${describeValue(timeoutMs)}`;
    throw new FrameDeadlineError('OPTION_INVALID', `${given}, expected milliseconds from 1 to ${MAX_TIMEOUT_MS}`);
  }
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    const given = `path of connectTelemetry is ${describeValue(path)}`;
    throw new FrameDeadlineError('OPTION_INVALID', `${given}, expected the one that the app gave to serveTelemetry`);
  }
  const absolute = process.platform === 'win32' ? path : resolve(path);
  const socket = connect(absolute);
  const client = new TelemetryClient(socket, path, timeoutMs);
  await client.greeted;
  return client;
}

/** Asks a running app for its telemetry. Requests are answered in their order; any number may be under way. */
export class TelemetryClient {
  /** Resolves when the connection has ended, with the reason; null after `close()`. Never rejects. */
  readonly ended: Promise<FrameDeadlineError | null>;
  /** @internal */
  readonly greeted: Promise<void>;
  private readonly socket: Socket;
  private readonly path: string;
  private readonly timeoutMs: number;
  private readonly lines: LineSplitter;
  private readonly pending: Map<number, Pending>;
  private served: ServedProcess | null;
  private nextId: number;
  private end: FrameDeadlineError | null | undefined;
  private onGreeted: (error: FrameDeadlineError | null) => void;
  private onEnded: (reason: FrameDeadlineError | null) => void;

  /** @internal */
  constructor(socket: Socket, path: string, timeoutMs: number) {
    this.socket = socket;
    this.path = path;
    this.timeoutMs = timeoutMs;
    this.lines = new LineSplitter(MAX_ANSWER_BYTES);
    this.pending = new Map();
    this.served = null;
    this.nextId = 1;
    this.end = undefined;
    this.onGreeted = () => {};
    this.onEnded = () => {};
    this.ended = new Promise((resolveWith) => {
      this.onEnded = resolveWith;
    });
    this.greeted = new Promise((resolveWith, reject) => {
      const timer = setTimeout(() => this.finish(this.unreachable(`it was silent for ${timeoutMs} ms`)), timeoutMs);
      this.onGreeted = (error) => {
        clearTimeout(timer);
        if (error === null) resolveWith();
        else reject(error);
      };
    });
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.finish(this.failureOf(error)));
    socket.on('close', () => this.finish(this.lost()));
  }

  /** The process at the other end. */
  get process(): ServedProcess {
    return this.served!;
  }

  /** Totals since the start. @param options `records: false` leaves out the last misses and frames */
  async telemetry(options: { records?: boolean } = {}): Promise<ServedReading> {
    return this.readingOf(await this.ask({ get: 'telemetry', ...options }));
  }

  /** What happened since this client's last call of `window`; the first covers nothing yet. */
  async window(): Promise<ServedReading> {
    return this.readingOf(await this.ask({ get: 'window' }));
  }

  /** The last misses that are kept whole, oldest first. */
  async misses(): Promise<readonly Miss[]> {
    const { misses } = await this.ask({ get: 'misses' });
    return this.checked<readonly Miss[]>('misses', misses, missesSchema);
  }

  /** The last jobs of all threads, for `chromeTrace` of `frame-deadline/trace`. */
  async trace(): Promise<JobTrace> {
    const { trace } = await this.ask({ get: 'trace' });
    if (typeof trace !== 'object' || trace === null) throw this.unreachable(`its trace is ${describeValue(trace)}`);
    return trace as JobTrace;
  }

  /** Ends the connection. What is under way is rejected with TELEMETRY_ENDED. */
  close(): void {
    this.finish(null);
  }

  /** Anybody may serve at a path: what comes is checked as a file is. */
  private readingOf({ telemetry, streams = [] }: Readonly<Record<string, unknown>>): ServedReading {
    return {
      telemetry: checkTelemetry(telemetry, `what ${this.path} sent`),
      streams: this.checked<readonly StreamTelemetry[]>('streams', streams, streamsSchema),
    };
  }

  private checked<T>(what: string, value: unknown, schema: JsonSchema): T {
    const fault = findFault(value, schema, telemetrySchema);
    if (fault === null) return value as T;
    const found = fault.value === undefined ? 'nothing' : describeValue(fault.value);
    throw this.unreachable(`its ${what}${fault.path} are not as expected: ${fault.expected} expected, ${found} found`);
  }

  /** @throws FrameDeadlineError TELEMETRY_ENDED, and what the other side refuses with */
  private ask(request: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    if (this.end !== undefined) return Promise.reject(this.end ?? this.lost());
    const id = this.nextId++;
    return new Promise((resolveWith, reject) => {
      const timer = setTimeout(() => {
        this.finish(this.endedBy(`${NO_ANSWER} ${this.timeoutMs} ms`));
      }, this.timeoutMs);
      this.pending.set(id, {
        resolve: (answer) => {
          clearTimeout(timer);
          resolveWith(answer);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.socket.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }

  private take(chunk: Buffer): void {
    this.lines.add(chunk);
    if (this.served === null && this.lines.bytes > MAX_GREETING_BYTES) {
      this.finish(this.unreachable('it sent something else than telemetry'));
      return;
    }
    for (let line = this.lines.next(); line !== null; line = this.lines.next()) {
      if (this.end !== undefined) return;
      const message = line === TOO_LONG ? null : objectOf(line);
      if (message === null) this.finish(this.unreachable('it sent something else than telemetry'));
      else if (this.served === null) this.greet(message);
      else this.settle(message);
    }
  }

  private greet(message: Readonly<Record<string, unknown>>): void {
    const { frameDeadline, protocol, pid, name } = message;
    if (isErrorAnswer(message)) {
      this.finish(this.unreachable(message.error.message));
    } else if (frameDeadline !== 'telemetry') {
      this.finish(this.unreachable('it serves something else than telemetry'));
    } else if (protocol !== PROTOCOL) {
      const given = `it speaks version ${describeValue(protocol)} of the protocol, this is version ${PROTOCOL}`;
      this.finish(this.unreachable(`${given}; use the same version of frame-deadline on both sides`));
    } else {
      this.served = { pid: Number(pid), name: String(name) };
      this.onGreeted(null);
    }
  }

  private settle(message: Readonly<Record<string, unknown>>): void {
    const { id } = message;
    const pending = this.pending.get(Number(id));
    this.pending.delete(Number(id));
    if (isErrorAnswer(message)) {
      const error = this.endedBy(message.error.message);
      pending?.reject(error);
      this.finish(error);
    } else pending?.resolve(message);
  }

  private finish(reason: FrameDeadlineError | null): void {
    if (this.end !== undefined) return;
    this.end = reason;
    this.socket.destroy();
    const error = reason ?? this.lost();
    this.onGreeted(error);
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
    this.onEnded(reason);
  }

  private failureOf({ code, message }: NodeJS.ErrnoException): FrameDeadlineError {
    if (this.served !== null) return this.lost();
    if (code === 'ENOENT') return this.unreachable('there is nothing at that path; does the app call serveTelemetry?');
    if (code === 'ENOTSOCK' || this.isNoSocket()) {
      return this.unreachable('that is no socket; expected the path that the app gave to serveTelemetry');
    }
    if (code === 'ECONNREFUSED') return this.unreachable('nobody listens there any more: the app has ended');
    if (code === 'EACCES') return this.unreachable('it belongs to another user (EACCES)');
    return this.unreachable(code ?? message);
  }

  /** Linux answers for an ordinary file as for a socket where nobody listens. */
  private isNoSocket(): boolean {
    if (process.platform === 'win32') return false;
    try {
      return !statSync(this.path).isSocket();
    } catch {
      return false;
    }
  }

  private unreachable(why: string): FrameDeadlineError {
    return new FrameDeadlineError('TELEMETRY_UNREACHABLE', `telemetry at ${this.path}: ${why}`);
  }

  private lost(): FrameDeadlineError {
    return this.served === null
      ? this.unreachable('the connection was closed before an answer came')
      : this.endedBy('the connection was closed');
  }

  private endedBy(why: string): FrameDeadlineError {
    return new FrameDeadlineError('TELEMETRY_ENDED', `telemetry at ${this.path}: ${why}`);
  }
}

const count: JsonSchema = { type: 'integer', minimum: 0 };
const missesSchema: JsonSchema = { type: 'array', items: { $ref: '#/$defs/miss' } };
const streamsSchema: JsonSchema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name', 'kind', 'underruns', 'overruns'],
    properties: { name: { type: 'string' }, kind: { type: 'string' }, underruns: count, overruns: count },
  },
};

function objectOf(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}

type ErrorAnswer = Readonly<Record<string, unknown>> & { readonly error: { readonly message: string } };

function isErrorAnswer(message: Readonly<Record<string, unknown>>): message is ErrorAnswer {
  const { error } = message;
  return typeof error === 'object' && error !== null && typeof (error as { message?: unknown }).message === 'string';
}
