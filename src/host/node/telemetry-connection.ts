import type { Socket } from 'node:net';
import { describeValue, FrameDeadlineError } from '../../base/errors.js';
import type { TelemetrySession } from '../telemetry-socket.js';
import { LineSplitter, TOO_LONG } from './line-splitter.js';

export const MAX_REQUEST_BYTES = 4096;
/** Requests that wait for their turn; beyond it the client has to wait before it sends more. */
const MAX_WAITING_BYTES = 16 * 1024;
const MAX_ID_CHARS = 64;
/** A client that has not taken its answer by then is dropped, and the answer with it. */
const TAKE_ANSWER_MS = 10_000;
const TAKE_ERROR_MS = 1000;

/** Shares the thread's time between connections and its other work. */
export interface Pace {
  /** How long to wait before the next answer is made. */
  waitMs(): number;
  took(ms: number): void;
}

/**
 * One client. Its requests are answered in their order, the next one only when the answer before has left for the
 * system's buffer, so that at most one answer per client is in memory, however slowly it reads. Nothing that it does or
 * sends throws.
 */
export class TelemetryClientConnection {
  private readonly socket: Socket;
  private readonly session: TelemetrySession;
  private readonly pace: Pace;
  private readonly lines: LineSplitter;
  private isBusy: boolean;
  private timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, session: TelemetrySession, pace: Pace) {
    this.socket = socket;
    this.session = session;
    this.pace = pace;
    this.lines = new LineSplitter(MAX_REQUEST_BYTES);
    this.isBusy = false;
    this.timer = undefined;
  }

  begin(greeting: string): void {
    const { socket } = this;
    socket.on('data', (chunk: Buffer) => {
      this.lines.add(chunk);
      if (!this.isBusy) this.next();
      // one that reads on hears at once that the client has gone
      else if (this.lines.bytes > MAX_WAITING_BYTES) socket.pause();
    });
    socket.on('close', () => clearTimeout(this.timer));
    this.send(greeting);
  }

  destroy(): void {
    this.socket.destroy();
  }

  private next(): void {
    this.isBusy = false;
    if (this.socket.destroyed) return;
    const line = this.lines.next();
    if (this.lines.bytes <= MAX_WAITING_BYTES) this.socket.resume();
    if (line === null) return;
    this.isBusy = true;
    if (line === TOO_LONG) {
      this.fail(null, invalid(`a request longer than ${MAX_REQUEST_BYTES} bytes`));
      return;
    }
    this.whenRested(() => this.handle(line));
  }

  private whenRested(callback: () => void): void {
    if (this.socket.destroyed) return;
    const waitMs = this.pace.waitMs();
    if (waitMs === 0) callback();
    else this.timer = setTimeout(() => this.whenRested(callback), Math.ceil(waitMs)).unref();
  }

  private handle(line: string): void {
    let id: string | number | null = null;
    const startMs = performance.now();
    let text: string;
    try {
      const request = parse(line);
      id = idOf(request);
      text = `${JSON.stringify({ id, ...this.session.answer(request) })}\n`;
    } catch (error) {
      this.fail(id, error);
      return;
    }
    this.pace.took(performance.now() - startMs);
    this.send(text);
  }

  private send(text: string): void {
    this.isBusy = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.destroy(), TAKE_ANSWER_MS).unref();
    this.socket.write(text, (error) => {
      clearTimeout(this.timer);
      if (!error) this.next();
    });
  }

  /** Says what was wrong, and ends. */
  private fail(id: string | number | null, error: unknown): void {
    const code = error instanceof FrameDeadlineError ? error.code : 'TELEMETRY_ENDED';
    const message = (error instanceof Error ? error.message : String(error)).replace(` [${code}]`, '');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.destroy(), TAKE_ERROR_MS).unref();
    // what comes is thrown away: what was not read when a socket closes would take the answer with it
    this.socket.removeAllListeners('data');
    this.socket.resume();
    this.socket.end(`${JSON.stringify({ id, error: { code, message } })}\n`);
  }
}

function parse(line: string): Readonly<Record<string, unknown>> {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch {
    throw invalid(describeValue(line));
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request)) throw invalid(describeValue(request));
  return request as Readonly<Record<string, unknown>>;
}

function idOf({ id = null }: Readonly<Record<string, unknown>>): string | number | null {
  if (id === null || typeof id === 'number') return id;
  if (typeof id === 'string' && id.length <= MAX_ID_CHARS) return id;
  throw invalid(`the id ${describeValue(id)}`);
}

function invalid(given: string): FrameDeadlineError {
  return new FrameDeadlineError(
    'OPTION_INVALID',
    `telemetry socket: ${given} was sent, a line such as {"id":1,"get":"window"} expected`,
  );
}
