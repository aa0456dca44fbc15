import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { stringify } from 'yaml';
import { handleRequest } from './request-handler.js';
import type { SimulatedCluster } from './simulated-cluster.js';
import { issueServerIdentity, type ServerIdentity } from './x509.js';

const PREFIX = '/clusters/';
const DEFAULT_USER = 'fairway-admin';

interface Served {
  readonly cluster: SimulatedCluster;
  /** Bearer token → user name. */
  readonly tokens: Map<string, string>;
}

export interface WireAddress {
  /** `https://127.0.0.1:PORT`; a cluster's API is below `/clusters/<id>`. */
  readonly url: string;
  readonly caPem: string;
}

/** Serves the APIs of many simulated clusters over HTTPS on one loopback port. */
export class KubernetesWire {
  readonly #clusters = new Map<string, Served>();
  readonly #identity: ServerIdentity = issueServerIdentity();
  #server: Server | undefined;
  #url = '';

  /** Listens on a free port of 127.0.0.1. */
  async start(): Promise<WireAddress> {
    if (this.#server) return { url: this.#url, caPem: this.#identity.caPem };
    const { certificatePem, keyPem } = this.#identity.server;
    const server = createServer(
      { cert: certificatePem, key: keyPem, keepAliveTimeout: 60_000 },
      (request, response) => {
        void this.serve(request, response);
      },
    );
    server.on('clientError', (_error, socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.#url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { url: this.#url, caPem: this.#identity.caPem };
  }

  addCluster(cluster: SimulatedCluster): void {
    if (this.#clusters.has(cluster.id)) throw new Error(`cluster ${cluster.id} is served already`);
    this.#clusters.set(cluster.id, { cluster, tokens: new Map() });
  }

  /** Its prefix answers 404 from now on; open watches end. */
  removeCluster(id: string): void {
    const served = this.#clusters.get(id);
    this.#clusters.delete(id);
    if (served) served.cluster.faults.outage = 'closed';
  }

  /** The API server's URL of a cluster, as a kubeconfig's `server`. Needs `start`. */
  serverOf(clusterId: string): string {
    this.served(clusterId);
    return `${this.#url}${PREFIX}${encodeURIComponent(clusterId)}`;
  }

  /** The bearer token of a user, made at the first call. */
  tokenFor(clusterId: string, user = DEFAULT_USER): string {
    const { tokens } = this.served(clusterId);
    for (const [token, owner] of tokens) if (owner === user) return token;
    const token = randomBytes(24).toString('hex');
    tokens.set(token, user);
    return token;
  }

  /** Tokens of the user are refused (401) from now on. */
  revokeTokens(clusterId: string, user = DEFAULT_USER): void {
    const { tokens } = this.served(clusterId);
    for (const [token, owner] of tokens) if (owner === user) tokens.delete(token);
  }

  /** A kubeconfig as YAML, with the CA and a token inside: treat it as a secret. */
  kubeconfig(clusterId: string, user = DEFAULT_USER): string {
    const caData = Buffer.from(this.#identity.caPem).toString('base64');
    return stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': clusterId,
      clusters: [
        {
          name: clusterId,
          cluster: { server: this.serverOf(clusterId), 'certificate-authority-data': caData },
        },
      ],
      users: [{ name: user, user: { token: this.tokenFor(clusterId, user) } }],
      contexts: [{ name: clusterId, context: { cluster: clusterId, user } }],
    });
  }

  get caPem(): string {
    return this.#identity.caPem;
  }

  /** Ends open watches and the server. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  private served(clusterId: string): Served {
    const served = this.#clusters.get(clusterId);
    if (!served) throw new Error(`no cluster ${clusterId} on this wire`);
    return served;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://localhost');
    const match = /^\/clusters\/([^/]+)(\/.*)?$/.exec(url.pathname);
    const served = match ? this.#clusters.get(decodeURIComponent(match[1] as string)) : undefined;
    if (!served) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('no such cluster\n');
      return;
    }
    const { cluster, tokens } = served;
    await handleRequest({
      cluster,
      tokens,
      request,
      response,
      path: match?.[2] ?? '/',
      query: url.searchParams,
    });
  }
}
