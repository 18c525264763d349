import type { ServedSocket, ServeTelemetry } from '../host/telemetry-socket.js';
import { plainErrorOf } from './load-tasks.js';
import type { ServeRequest, ServeResult } from './protocol.js';
import type { TelemetrySetup } from './telemetry-reader.js';
import { telemetryService } from './telemetry-service.js';

/** The telemetry sockets that one thread serves. */
export class TelemetryServing {
  private readonly serveSocket: ServeTelemetry;
  private readonly sockets: Map<number, ServedSocket>;
  private nextId: number;

  constructor(serveSocket: ServeTelemetry) {
    this.serveSocket = serveSocket;
    this.sockets = new Map();
    this.nextId = 1;
  }

  /** Never rejects. */
  async serve(request: ServeRequest, setup: Omit<TelemetrySetup, 'environment' | 'workers'>): Promise<ServeResult> {
    const { environment, workers } = request;
    try {
      const service = telemetryService({ ...setup, environment, workers }, request);
      const socket = await this.serveSocket(request.path, service);
      const id = this.nextId++;
      this.sockets.set(id, socket);
      return { ok: true, id, path: socket.path, identity: socket.identity };
    } catch (error) {
      return { ok: false, error: plainErrorOf(error, 'OUTPUT_UNWRITABLE', '') };
    }
  }

  async stop(id: number): Promise<void> {
    const socket = this.sockets.get(id);
    this.sockets.delete(id);
    await socket?.close();
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.sockets.keys()].map((id) => this.stop(id)));
  }
}
