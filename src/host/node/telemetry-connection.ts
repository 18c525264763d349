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
/** From the first byte of a request to its end. */
const SEND_REQUEST_MS = 10_000;
const TAKE_ERROR_MS = 1000;
/** What a client may still send when it has been told the last: it is read so that the answer gets through. */
const MAX_IGNORED_BYTES = 256 * 1024;

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

  /** Bytes that are in memory for this client, what it sent and what it has not taken, without the system's buffers. */
  get heldBytes(): number {
    return this.lines.bytes + this.socket.writableLength;
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
    if (line === null) {
      // counts from the first byte, so that drops at long intervals do not keep it open
      if (this.lines.bytes > 0) this.timer ??= setTimeout(() => this.fail(null, unended()), SEND_REQUEST_MS).unref();
      return;
    }
    this.isBusy = true;
    this.stopTimer();
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
    this.stopTimer();
    this.timer = setTimeout(() => this.destroy(), TAKE_ANSWER_MS).unref();
    this.socket.write(text, (error) => {
      this.stopTimer();
      if (!error) this.next();
    });
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Says what was wrong, and ends. */
  private fail(id: string | number | null, error: unknown): void {
    const code = error instanceof FrameDeadlineError ? error.code : 'TELEMETRY_ENDED';
    const message = (error instanceof Error ? error.message : String(error)).replace(` [${code}]`, '');
    this.stopTimer();
    this.isBusy = true;
    endWithError(this.socket, { id, error: { code, message } });
  }
}

/** Says what was wrong, and ends. A client that does not take it, or sends on and on, is cut off. */
export function endWithError(socket: Socket, answer: object): void {
  const timer = setTimeout(() => socket.destroy(), TAKE_ERROR_MS).unref();
  socket.on('close', () => clearTimeout(timer));
  // what comes is thrown away: what was not read when a socket closes would take the answer with it
  let ignoredBytes = 0;
  socket.removeAllListeners('data');
  socket.on('data', (chunk: Buffer) => {
    ignoredBytes += chunk.length;
    if (ignoredBytes > MAX_IGNORED_BYTES) socket.destroy();
  });
  socket.resume();
  socket.end(`${JSON.stringify(answer)}\n`);
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

function unended(): FrameDeadlineError {
  return invalid(`a request that was not ended by a line feed within ${SEND_REQUEST_MS} ms`);
}

function invalid(given: string): FrameDeadlineError {
  return new FrameDeadlineError(
    'OPTION_INVALID',
    `telemetry socket: ${given} was sent, a line such as {"id":1,"get":"window"} expected`,
  );
}
