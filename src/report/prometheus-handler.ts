import { prometheusText } from './prometheus-metrics.js';
import type { ExpositionFormat } from './prometheus-text.js';
import type { TelemetrySource } from './source.js';

/** The part of `http.IncomingMessage` that is used; Express, Fastify's `raw` and HTTP/2's compatible one have it too. */
export interface ScrapeRequest {
  readonly method?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** The part of `http.ServerResponse` that is used. */
export interface ScrapeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body?: string): unknown;
}

const TEXT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const PLAIN_TYPE = 'text/plain; charset=utf-8';
/** For so many times as long as an answer took to make, it is given again: two formats take a quarter of the time at most. */
const REST_FACTOR = 7;

interface Made {
  readonly text: string;
  readonly untilMs: number;
}
type MadeByFormat = Partial<Record<ExpositionFormat, Made>>;

/**
 * Answers a scrape: mount it at `/metrics` of a server that is bound where your Prometheus can reach it and nobody else
 * can. GET and HEAD only (405 else); OpenMetrics if the scraper asks for it, else text 0.0.4; 503 with the reason when
 * the source has nothing to give (a closed scheduler). Reads nothing of the request but method and `Accept`. Never
 * throws, so it can be called from any server without a net. However often it is asked, making answers takes no more than
 * a quarter of the thread's time: requests that come too fast get the answer of some milliseconds ago.
 */
export function prometheusHandler(
  source: Pick<TelemetrySource, 'telemetry'>,
): (request: ScrapeRequest, response: ScrapeResponse) => void {
  const made: MadeByFormat = {};
  return (request, response) => {
    try {
      answer(source, made, request, response);
    } catch {
      // the connection is gone, or its headers are sent: nobody is there to be told
    }
  };
}

function answer(
  source: Pick<TelemetrySource, 'telemetry'>,
  made: MadeByFormat,
  { method, headers }: ScrapeRequest,
  response: ScrapeResponse,
): void {
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(response, 405, PLAIN_TYPE, `method ${method} is not allowed here, use GET\n`);
    return;
  }
  const open = String(headers['accept'] ?? '').includes('application/openmetrics-text');
  const type = open ? OPEN_METRICS_TYPE : TEXT_TYPE;
  response.setHeader('Vary', 'Accept');
  response.setHeader('Cache-Control', 'no-store');
  if (method === 'HEAD') {
    send(response, 200, type);
    return;
  }
  let text: string;
  try {
    text = textOf(source, made, open ? 'openmetrics' : 'prometheus');
  } catch (error) {
    send(response, 503, PLAIN_TYPE, `no telemetry: ${error instanceof Error ? error.message : String(error)}\n`);
    return;
  }
  send(response, 200, type, text);
}

function textOf(source: Pick<TelemetrySource, 'telemetry'>, made: MadeByFormat, format: ExpositionFormat): string {
  const startMs = performance.now();
  const last = made[format];
  if (last !== undefined && startMs < last.untilMs) return last.text;
  const text = prometheusText(source.telemetry(), format);
  const endMs = performance.now();
  made[format] = { text, untilMs: endMs + REST_FACTOR * (endMs - startMs) };
  return text;
}

function send(response: ScrapeResponse, status: number, type: string, body?: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', type);
  response.end(body);
}
