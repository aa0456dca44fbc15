import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

export interface CountedRequest {
  readonly method: string;
  /** Below the server's URL, without the query. */
  readonly path: string;
  readonly dryRun: boolean;
}

/** Stands before any API server on loopback, with the kubeconfig's credentials, and tells what passed. */
export class CountingProxy {
  readonly requests: CountedRequest[] = [];

  private constructor(
    private readonly server: http.Server,
    private readonly agent: http.Agent,
  ) {}

  static async before(kubeconfig: string): Promise<CountingProxy> {
    const config = new KubeConfig();
    config.loadFromString(kubeconfig);
    const url = new URL(config.getCurrentCluster()?.server ?? '');
    const options: https.RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key } = options;
    const agent =
      url.protocol === 'https:'
        ? new https.Agent({ keepAlive: true, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
        : new http.Agent({ keepAlive: true });
    const client = url.protocol === 'https:' ? https : http;
    const server = http.createServer((request, response) => {
      const asked = new URL(request.url ?? '/', 'http://proxy');
      proxy.requests.push({
        method: request.method ?? '',
        path: asked.pathname,
        dryRun: asked.searchParams.has('dryRun'),
      });
      const { host: _host, authorization: _ours, ...headers } = request.headers;
      const path = `${url.pathname.replace(/\/+$/, '')}${request.url}`;
      const sent = client.request({
        host: url.hostname,
        port: url.port,
        method: request.method,
        path,
        agent,
        headers: { ...headers, ...(options.headers as Record<string, string> | undefined) },
      });
      sent.once('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      sent.once('error', () => response.destroy());
      response.once('close', () => sent.destroy());
      request.pipe(sent);
    });
    const proxy = new CountingProxy(server, agent);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  kubeconfig(): string {
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'proxy', cluster: { server: this.url } }],
      users: [{ name: 'proxy', user: { token: 'the-proxy-has-its-own' } }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
      'current-context': 'proxy',
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
    this.agent.destroy();
  }
}
