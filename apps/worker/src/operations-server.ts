import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toFailure } from '#kernel';
import type { WorkerRuntime } from './worker-runtime.js';

export interface OperationsServer {
  readonly url: string;
  /** From here on the answers are about this runtime; before, the worker is alive and not ready. */
  started(runtime: WorkerRuntime): void;
  close(): Promise<void>;
}

/** `/healthz`, `/readyz` and `/metrics` of the worker, which has no other HTTP. */
export async function startOperationsServer(host: string, port: number): Promise<OperationsServer> {
  let runtime: WorkerRuntime | undefined;
  const server = createServer((request, response) => {
    void answer(runtime, request.url ?? '/', response).catch(() => response.destroy());
  });
  await listen(server, port, host);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound}`,
    started: (running) => {
      runtime = running;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });

async function answer(
  runtime: WorkerRuntime | undefined,
  url: string,
  response: ServerResponse,
): Promise<void> {
  switch (url.split('?')[0]) {
    case '/healthz':
      return json(response, 200, { status: 'ok' });
    case '/readyz':
      return runtime ? ready(runtime, response) : json(response, 503, { status: 'starting' });
    case '/metrics':
      if (!runtime) return json(response, 503, { status: 'starting' });
      response.writeHead(200, { 'Content-Type': runtime.metrics.registry.contentType });
      response.end(await runtime.metrics.registry.metrics());
      return;
    default:
      return json(response, 404, { status: 'not found' });
  }
}

async function ready(runtime: WorkerRuntime, response: ServerResponse): Promise<void> {
  try {
    await runtime.ping();
    json(response, runtime.closing ? 503 : 200, { status: runtime.closing ? 'closing' : 'ok' });
  } catch (thrown) {
    json(response, 503, { status: 'unavailable', reason: toFailure(thrown).code });
  }
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}
