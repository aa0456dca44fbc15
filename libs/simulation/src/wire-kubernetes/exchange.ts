import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { toStatus, type ApiError } from '../kubernetes/api/api-error.js';
import type { SimulatedCluster } from './simulated-cluster.js';

/** One request and its answer, with what the handlers need to know of it. */
export interface Exchange {
  readonly cluster: SimulatedCluster;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  /** Path below the cluster's prefix. */
  readonly path: string;
  readonly user: string;
  readonly warnings: string[];
}

const GZIP_FROM = 128 * 1024;

export function sendJson(
  exchange: Exchange,
  code: number,
  body: unknown,
  contentType = 'application/json',
): void {
  const { response, request } = exchange;
  if (response.destroyed || response.writableEnded) return;
  for (const text of exchange.warnings) response.appendHeader('Warning', `299 - ${JSON.stringify(text)}`);
  const text = Buffer.from(`${JSON.stringify(body)}\n`);
  const zipped = text.length > GZIP_FROM && String(request.headers['accept-encoding'] ?? '').includes('gzip');
  const payload = zipped ? gzipSync(text, { level: 1 }) : text;
  response.writeHead(code, {
    'Content-Type': contentType,
    'Cache-Control': 'no-cache, private',
    'Content-Length': payload.length,
    ...(zipped && { 'Content-Encoding': 'gzip' }),
  });
  response.end(payload);
}

export function sendText(
  exchange: Pick<Exchange, 'response'>,
  code: number,
  text: string,
  contentType = 'text/plain',
): void {
  const { response } = exchange;
  if (response.destroyed || response.writableEnded) return;
  response.writeHead(code, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

export function sendError(exchange: Exchange, error: ApiError): void {
  if (error.retryAfterSeconds !== undefined && !exchange.response.headersSent) {
    exchange.response.setHeader('Retry-After', String(error.retryAfterSeconds));
  }
  sendJson(exchange, error.status, toStatus(error));
}

export const LOAD_BALANCER_HTML =
  '<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n';
