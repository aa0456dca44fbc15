import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsError, DroppedReply } from '../aws/aws-error.js';
import type { AwsWorld } from '../aws/aws-world.js';
import type { Principal } from '../aws/identity.js';
import type { Props } from '../aws/props.js';
import { credentialScope, type CredentialScope } from './authorization.js';
import { autoScalingActions } from './auto-scaling.wire.js';
import { readBody } from './body.js';
import { cloudFormationActions } from './cloud-formation.wire.js';
import { ec2Actions } from './ec2.wire.js';
import type { Actions } from './handler.js';
import { kmsActions } from './kms.wire.js';
import { loadBalancingActions } from './load-balancing.wire.js';
import { queryParams } from './query-params.js';
import { errorReply, resultReply, type Protocol, type Reply } from './reply.js';
import { s3Target } from './s3-requests.js';
import { s3Reply } from './s3.wire.js';
import { serviceQuotasActions } from './service-quotas.wire.js';
import { stsActions } from './sts.wire.js';

export interface AwsServerOptions {
  /** Upper bound of every page, for callers that must prove that they follow pages. */
  readonly pageLimit?: number;
}

interface Service {
  readonly protocol: Protocol;
  readonly actions: Actions;
}

/** By the name that requests are signed for. */
const SERVICES: Readonly<Record<string, Service>> = {
  autoscaling: { protocol: 'query', actions: autoScalingActions },
  cloudformation: { protocol: 'query', actions: cloudFormationActions },
  ec2: { protocol: 'ec2', actions: ec2Actions },
  elasticloadbalancing: { protocol: 'query', actions: loadBalancingActions },
  kms: { protocol: 'json', actions: kmsActions },
  s3: { protocol: 's3', actions: {} },
  servicequotas: { protocol: 'json', actions: serviceQuotasActions },
  sts: { protocol: 'query', actions: stsActions },
};

/** The simulated AWS over HTTP on loopback, for clients that differ from production by their endpoint only. */
export class AwsServer {
  private readonly server: Server;

  constructor(
    private readonly world: AwsWorld,
    private readonly options: AwsServerOptions = {},
  ) {
    this.server = createServer((request, response) => void this.serve(request, response));
    this.server.keepAliveTimeout = 30_000;
  }

  /** The endpoint, for example `http://127.0.0.1:40123`. Port 0 takes a free one. */
  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    let protocol: Protocol = 'query';
    try {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const body = await readBody(request);
      const scope = credentialScope(request, url);
      const service = SERVICES[scope.service];
      if (!service) throw new AwsError('UnknownService', `The simulated AWS has no service ${scope.service}`);
      protocol = service.protocol;
      const principal = this.world.identity.authenticate(scope.accessKeyId);
      const reply =
        protocol === 's3'
          ? await this.serveS3(request, url, body, scope, principal, requestId)
          : await this.serveAction(service, request, url, body, scope, principal, requestId);
      send(request, response, reply);
    } catch (error) {
      if (error instanceof DroppedReply) request.socket.destroy();
      else send(request, response, errorReply(protocol, asAwsError(error), requestId));
    }
  }

  private async serveAction(
    service: Service,
    request: IncomingMessage,
    url: URL,
    body: Buffer,
    scope: CredentialScope,
    principal: Principal,
    requestId: string,
  ): Promise<Reply> {
    const { action, params } = service.protocol === 'json' ? jsonCall(request, body) : queryCall(url, body);
    const home = this.world.region(principal.account, scope.region);
    const call = this.identify(scope, principal, action, params);
    const result = await this.world.perform(call, () => {
      const handler = Object.hasOwn(service.actions, action) ? service.actions[action] : undefined;
      if (!handler) throw unknownAction(scope.service, action, service.protocol);
      return handler({ world: this.world, home, principal, params, pageLimit: this.options.pageLimit });
    });
    return resultReply(service.protocol, action, result, requestId);
  }

  private async serveS3(
    request: IncomingMessage,
    url: URL,
    body: Buffer,
    scope: CredentialScope,
    principal: Principal,
    requestId: string,
  ): Promise<Reply> {
    const method = request.method ?? 'GET';
    const target = s3Target(method, url, request.headers.host ?? '');
    const params = {
      Bucket: target.bucket,
      Key: target.key,
      ...Object.fromEntries(url.searchParams),
      size: body.length,
    };
    const s3Request = {
      method,
      url,
      headers: request.headers,
      body,
      account: principal.account,
      region: scope.region,
      pageLimit: this.options.pageLimit,
    };
    const call = this.identify(scope, principal, target.action, params);
    const reply = await this.world.perform(call, () => s3Reply(this.world, s3Request, target));
    return { ...reply, headers: { ...reply.headers, 'x-amz-request-id': requestId } };
  }

  private identify(
    scope: CredentialScope,
    principal: Principal,
    action: string,
    params: Props,
  ): Parameters<AwsWorld['perform']>[0] {
    const { service, region } = scope;
    return { service, action, account: principal.account, region, principal: principal.arn, params };
  }
}

function queryCall(url: URL, body: Buffer): { action: string; params: Props } {
  const flat = new URLSearchParams(body.length > 0 ? body.toString('utf8') : url.search);
  const action = flat.get('Action') ?? '';
  flat.delete('Action');
  flat.delete('Version');
  return { action, params: queryParams(flat) };
}

function jsonCall(request: IncomingMessage, body: Buffer): { action: string; params: Props } {
  const target = String(request.headers['x-amz-target'] ?? '');
  try {
    return { action: target.split('.')[1] ?? '', params: JSON.parse(body.toString('utf8') || '{}') as Props };
  } catch {
    throw new AwsError('SerializationException', 'The request body is not JSON');
  }
}

const unknownAction = (service: string, action: string, protocol: Protocol): AwsError =>
  new AwsError(
    protocol === 'json' ? 'UnknownOperationException' : 'InvalidAction',
    `The simulated ${service} does not know the action ${action || '(none)'}`,
  );

/** What is not an AWS error is a fault of the simulation, and loud about it. */
function asAwsError(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return new AwsError('InternalFailure', `simulation bug: ${message}`, 500);
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  if (response.destroyed) return;
  const body = typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body;
  const length = request.method === 'HEAD' ? {} : { 'content-length': String(body.length) };
  response.writeHead(reply.status, { ...reply.headers, ...length });
  response.end(request.method === 'HEAD' ? undefined : body);
}
