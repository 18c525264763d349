import { createServer, type Server } from 'node:http';
import { FrameDeadlineError } from '../../../base/errors.js';
import { prometheusHandler } from '../../../report/prometheus.js';
import type { TelemetrySource } from '../../../report/source.js';
import { isLoopbackHost } from './loopback-host.js';

const HOST = '127.0.0.1';
const PATH = '/metrics';
/** A scraper sends a few hundred bytes at once; whoever is slower than that is not one. */
const REQUEST_TIMEOUT_MS = 5000;
const MAX_CONNECTIONS = 16;
const MAX_HEADER_BYTES = 8192;
/** How often connections are looked at for that. */
const LOOK_EVERY_MS = 1000;
/** On one connection: a burst of them would be answered before anything else is done. */
const MAX_REQUESTS = 32;

/** The endpoint of `--prometheus`: on the loopback address, GET and HEAD of /metrics. Does not keep the process alive. */
export class MetricsServer {
  readonly url: string;
  private readonly server: Server;
  private source: Pick<TelemetrySource, 'telemetry'> | null;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.url = `http://${HOST}:${port}${PATH}`;
    this.source = null;
    const handle = prometheusHandler({
      telemetry: () => {
        if (this.source === null) throw new Error('the demo is starting');
        return this.source.telemetry();
      },
    });
    server.on('request', (request, response) => {
      response.on('error', () => {});
      response.setHeader('X-Content-Type-Options', 'nosniff');
      if (!isLoopbackHost(request.headers.host)) {
        response.writeHead(403, { 'content-type': 'text/plain' }).end(`ask for ${this.url}\n`);
      } else if (request.url?.split('?')[0] === PATH) handle(request, response);
      else response.writeHead(404, { 'content-type': 'text/plain' }).end(`only ${PATH} is here\n`);
    });
  }

  /**
   * @param port 0: any that is free
   * @throws FrameDeadlineError PORT_UNAVAILABLE
   */
  static async listen(port: number): Promise<MetricsServer> {
    const server = createServer({
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: LOOK_EVERY_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
    // of one that does not take its answer
    server.timeout = REQUEST_TIMEOUT_MS;
    server.maxConnections = MAX_CONNECTIONS;
    server.maxRequestsPerSocket = MAX_REQUESTS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause: NodeJS.ErrnoException) => {
        const why = cause.code === 'EADDRINUSE' ? 'it is in use' : (cause.code ?? cause.message);
        const message = `--prometheus ${port}: cannot listen on port ${port} of ${HOST} (${why}); give another, or 0 for any`;
        reject(new FrameDeadlineError('PORT_UNAVAILABLE', message, { cause }));
      });
      server.listen(port, HOST, resolve);
    });
    server.on('error', () => {});
    server.unref();
    return new MetricsServer(server, (server.address() as { port: number }).port);
  }

  /** From now on scrapes get this telemetry. */
  serve(source: Pick<TelemetrySource, 'telemetry'>): void {
    this.source = source;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
