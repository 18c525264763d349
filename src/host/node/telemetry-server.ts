import { createServer, type Server, type Socket } from 'node:net';
import type { ServedSocket, ServeTelemetry, TelemetryService } from '../telemetry-socket.js';
import { checkSocketPath, listenPrivately, removeSocket } from './socket-path.js';
import { endWithError, TelemetryClientConnection } from './telemetry-connection.js';

export const MAX_CLIENTS = 8;
/** Time that an answer took to make, times this, is left to the thread's other work before the next answer. */
const REST_FACTOR = 3;

/** See `ServeTelemetry`. Answering takes at most about a quarter of the calling thread's time, however much is asked. */
export const serveTelemetry: ServeTelemetry = async (path, service) => {
  const absolute = checkSocketPath(path);
  const server = new TelemetryServer(service);
  const identity = await listenPrivately(server.server, absolute);
  server.server.unref();
  return {
    path: absolute,
    identity,
    close: async () => {
      removeSocket(absolute, identity);
      await server.close();
    },
  } satisfies ServedSocket;
};

class TelemetryServer {
  readonly server: Server;
  private readonly service: TelemetryService;
  private readonly greeting: string;
  private readonly connections: Set<TelemetryClientConnection>;
  private readonly refused: Set<Socket>;
  private restUntilMs: number;

  constructor(service: TelemetryService) {
    this.service = service;
    this.greeting = `${JSON.stringify(service.greeting)}\n`;
    this.connections = new Set();
    this.refused = new Set();
    this.restUntilMs = 0;
    this.server = createServer((socket) => this.accept(socket));
    // no descriptors left: clients are not accepted, nothing else is amiss
    this.server.on('error', () => {});
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const connection of this.connections) connection.destroy();
    for (const socket of this.refused) socket.destroy();
    await closed;
  }

  private accept(socket: Socket): void {
    socket.unref();
    socket.on('error', () => {});
    if (this.connections.size >= MAX_CLIENTS) {
      this.refuse(socket);
      return;
    }
    const connection = new TelemetryClientConnection(socket, this.service.open(), {
      waitMs: () => Math.max(0, this.restUntilMs - performance.now()),
      took: (ms) => {
        this.restUntilMs = performance.now() + REST_FACTOR * ms;
      },
    });
    this.connections.add(connection);
    socket.on('close', () => this.connections.delete(connection));
    connection.begin(this.greeting);
  }

  private refuse(socket: Socket): void {
    if (this.refused.size >= MAX_CLIENTS) {
      socket.destroy();
      return;
    }
    this.refused.add(socket);
    socket.on('close', () => this.refused.delete(socket));
    const message = `there are ${MAX_CLIENTS} clients already; end one of them`;
    endWithError(socket, { id: null, error: { code: 'TELEMETRY_UNREACHABLE', message } });
  }
}
