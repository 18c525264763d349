import { CONTROL_MISS_EPOCH, CONTROL_MISS_LISTENING } from '../memory/layout.js';
import * as record from '../telemetry/miss-record.js';
import { RecordRingReader } from '../telemetry/record-ring.js';
import type { Miss } from '../telemetry/telemetry-data.js';
import type { Backend } from './backend.js';
import type { MissDecoder } from './miss-decoder.js';
import { RingBuffer } from './ring-buffer.js';

/** Misses kept whole. */
export const MISS_LOG_CAPACITY = 256;
/** Calls of listeners in a second; what is beyond is counted and kept, but nobody is called. */
const CALLS_PER_SECOND = 200;

export type MissListener = (miss: Miss) => void;

/** Reads the threads' miss rings, keeps the last misses, and calls who listens. Host thread only. */
export class MissLog {
  /** Records that were overwritten before they were read. */
  overwritten: number;
  /** Misses for which no listener was called, because there were too many in a second. */
  unreported: number;
  private readonly backend: Backend;
  private readonly decoder: MissDecoder;
  private readonly readers: readonly RecordRingReader[];
  private readonly last: RingBuffer<Miss>;
  private readonly listeners: Set<MissListener>;
  private watching: boolean;
  private closed: boolean;
  private windowStartUs: number;
  private callsInWindow: number;

  constructor(backend: Backend, decoder: MissDecoder) {
    this.backend = backend;
    this.decoder = decoder;
    const { telemetry, telemetryLayout } = backend.memory;
    this.readers = Array.from(
      { length: telemetryLayout.rowCount },
      (_, row) =>
        new RecordRingReader(telemetry, telemetryLayout.missRing(row), record.MISS_CAPACITY, record.MISS_RECORD_WORDS),
    );
    this.last = new RingBuffer<Miss>(MISS_LOG_CAPACITY);
    this.listeners = new Set();
    this.overwritten = 0;
    this.unreported = 0;
    this.watching = false;
    this.closed = false;
    this.windowStartUs = 0;
    this.callsInWindow = 0;
  }

  /** Calls the listener for each miss from now on. Returns how to end that. */
  listen(listener: MissListener): () => void {
    this.drain();
    this.listeners.add(listener);
    Atomics.store(this.backend.memory.control, CONTROL_MISS_LISTENING, 1);
    if (!this.watching) {
      this.watching = true;
      void this.watch();
    }
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) Atomics.store(this.backend.memory.control, CONTROL_MISS_LISTENING, 0);
    };
  }

  /** The last misses, oldest first. */
  recent(): Miss[] {
    this.drain();
    return this.last.peekN(this.last.size());
  }

  close(): void {
    this.drain();
    this.closed = true;
    Atomics.add(this.backend.memory.control, CONTROL_MISS_EPOCH, 1);
    Atomics.notify(this.backend.memory.control, CONTROL_MISS_EPOCH);
  }

  drain(): void {
    for (const reader of this.readers) {
      const found: Miss[] = [];
      const { overwritten } = reader.drain((words) => found.push(this.decoder.decode(words)));
      this.overwritten += overwritten;
      for (const miss of found) {
        this.last.enq(miss);
        this.report(miss);
      }
    }
  }

  private async watch(): Promise<void> {
    while (!this.closed && this.listeners.size > 0) {
      const epoch = Atomics.load(this.backend.memory.control, CONTROL_MISS_EPOCH); // acquire
      this.drain();
      const wait = this.backend.waitAsync(CONTROL_MISS_EPOCH, epoch);
      if (wait !== null) await wait;
    }
    this.watching = false;
  }

  private report(miss: Miss): void {
    if (this.listeners.size === 0) return;
    const nowUs = this.backend.clock.nowPreciseUs();
    if (nowUs - this.windowStartUs > 1e6) {
      this.windowStartUs = nowUs;
      this.callsInWindow = 0;
    }
    if (this.callsInWindow >= CALLS_PER_SECOND) {
      this.unreported++;
      return;
    }
    this.callsInWindow++;
    for (const listener of this.listeners) {
      try {
        listener(miss);
      } catch (error) {
        // the listener's own fault must not stop the telemetry: it surfaces as any uncaught error does
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
