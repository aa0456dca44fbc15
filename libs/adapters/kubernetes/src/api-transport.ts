import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Readable } from 'node:stream';
import { createSecureContext } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import { createGunzip } from 'node:zlib';
import { minutes, seconds, type Clock, type Duration } from '#kernel';
import { passFence, type ConnectionCertificate } from '#ports';
import { ApiLimitError } from './classify-network.js';
import { failureError } from './classify.js';
import { connectionCertificates } from './connection-certificates.js';
import type { CredentialReader, Security, TlsMaterial } from './credentials.js';
import { Gate } from './gate.js';
import { parseServerUrl } from './server-url.js';
import { retryAfterMs, type ApiAnswer } from './status.js';
import type { RequestContext } from './request-context.js';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the server's URL: `/api/v1/nodes`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly context: RequestContext;
  /** Time until the answer begins. */
  readonly timeout?: Duration;
  /** False: a request whose fate is unknown is not sent a second time. */
  readonly repeatable?: boolean;
  /** False: 429 comes back to the caller at once. */
  readonly patient?: boolean;
  readonly signal?: AbortSignal;
}

export interface TransportLimits {
  readonly connectTimeout: Duration;
  readonly readTimeout: Duration;
  /** Longer than reads: a write may wait for admission webhooks, 10 s each by default and 30 s at most. */
  readonly writeTimeout: Duration;
  readonly bodyTimeout: Duration;
  readonly maxInFlight: number;
  readonly maxBodyBytes: number;
}

export const DEFAULT_LIMITS: TransportLimits = {
  connectTimeout: seconds(5),
  readTimeout: seconds(10),
  writeTimeout: seconds(32),
  bodyTimeout: minutes(1),
  maxInFlight: 24,
  maxBodyBytes: 64 * 1024 * 1024,
};

/** The longest Retry-After that is waited for here; a longer one goes to the caller as `throttled`. */
const PATIENCE: Duration = seconds(5);
const MAX_THROTTLED_TRIES = 3;

/** HTTP to one cluster's API server: keep-alive, bounded, with time limits, credentials applied per request. */
export class ApiTransport {
  readonly #url: URL;
  readonly #base: http.RequestOptions;
  readonly #prefix: string;
  readonly #gate: Gate;
  #agent: { readonly tls: TlsMaterial; readonly agent: http.Agent } | undefined;
  #closed = false;

  constructor(
    url: string,
    private readonly credentials: CredentialReader,
    private readonly limits: TransportLimits,
    clock: Clock,
  ) {
    this.#url = parseServerUrl(url);
    this.#base = urlToHttpOptions(this.#url);
    this.#prefix = this.#url.pathname.replace(/\/+$/, '');
    this.#gate = new Gate(limits.maxInFlight, clock);
  }

  /** Any HTTP answer is returned; what prevents an answer is thrown as a classified failure. */
  async send(request: ApiRequest): Promise<ApiAnswer> {
    let reconnected = false;
    let reauthenticated = false;
    for (let tries = 1; ; tries += 1) {
      try {
        const answer = await this.#gate.run(() => this.#exchange(request), request.signal);
        if (answer.status === 401 && !reauthenticated) {
          reauthenticated = true;
          this.credentials.refresh();
        } else if (answer.status === 429 && request.patient !== false && tries < MAX_THROTTLED_TRIES) {
          const asked = retryAfterMs(answer) ?? seconds(1);
          if (asked > PATIENCE) return answer;
          this.#gate.pause(asked);
        } else {
          return answer;
        }
      } catch (thrown) {
        // The server closed an idle connection while we took it: it never saw the request.
        if (!(thrown instanceof StaleConnectionError) || reconnected || request.repeatable === false) {
          throw failureError(thrown instanceof StaleConnectionError ? thrown.cause : thrown, request.context);
        }
        reconnected = true;
      }
    }
  }

  /** Opens a long answer (watch) on its own connection. The caller consumes the body, or destroys it. */
  async open(
    request: ApiRequest,
  ): Promise<{ readonly answer: ApiAnswer; readonly stream?: IncomingMessage }> {
    try {
      const { response } = await this.#start(request);
      if (response.statusCode === 200) {
        return { answer: { status: 200, headers: response.headers, body: '' }, stream: response };
      }
      if (response.statusCode === 401) this.credentials.refresh();
      return { answer: await this.#collect(response) };
    } catch (thrown) {
      throw failureError(thrown instanceof StaleConnectionError ? thrown.cause : thrown, request.context);
    }
  }

  async certificates(context: RequestContext): Promise<readonly ConnectionCertificate[]> {
    try {
      const { tls } = await this.credentials.current();
      return await connectionCertificates(this.#url, tls, this.limits.connectTimeout);
    } catch (thrown) {
      throw failureError(thrown, context);
    }
  }

  close(): void {
    this.#closed = true;
    this.#agent?.agent.destroy();
    this.#agent = undefined;
  }

  async #exchange(request: ApiRequest): Promise<ApiAnswer> {
    const { response } = await this.#start(request);
    return this.#collect(response);
  }

  async #start(request: ApiRequest): Promise<{ response: IncomingMessage }> {
    if (this.#closed) throw abortError('the connection to the cluster is closed');
    request.signal?.throwIfAborted();
    const security = await this.credentials.current();
    await passFence();
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const client = this.#base.protocol === 'https:' ? https : http;
    const sent = client.request({
      ...this.#base,
      method: request.method,
      path: this.#path(request),
      agent: this.#agentFor(security),
      headers: headersFor(request, security, body),
      ...(request.signal && { signal: request.signal }),
    });
    const limit =
      request.timeout ?? (request.method === 'GET' ? this.limits.readTimeout : this.limits.writeTimeout);
    return { response: await answerOf(sent, body, limit, this.limits.connectTimeout) };
  }

  #path(request: ApiRequest): string {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) query.set(key, value);
    }
    return `${this.#prefix}${request.path}${query.size > 0 ? `?${query.toString()}` : ''}`;
  }

  #agentFor(security: Security): http.Agent {
    if (this.#agent?.tls === security.tls) return this.#agent.agent;
    const former = this.#agent?.agent;
    // Requests in flight finish on the former connections.
    if (former) setTimeout(() => former.destroy(), this.limits.bodyTimeout).unref();
    // Requests are bounded by the gate; watches live beside it, so sockets are not counted here.
    const pool = {
      keepAlive: true,
      keepAliveMsecs: 30_000,
      maxFreeSockets: this.limits.maxInFlight,
      timeout: 45_000,
    };
    const agent =
      this.#base.protocol === 'https:'
        ? new https.Agent({ ...pool, ...tlsOptions(security.tls) })
        : new http.Agent(pool);
    this.#agent = { tls: security.tls, agent };
    return agent;
  }

  async #collect(response: IncomingMessage): Promise<ApiAnswer> {
    const body = await readBody(response, this.limits.maxBodyBytes, this.limits.bodyTimeout);
    return { status: response.statusCode ?? 0, headers: response.headers, body };
  }
}

class StaleConnectionError extends Error {}

/** Certificates and keys are parsed once here, not for every connection; they would also be part of each lookup of a socket. */
function tlsOptions({ servername, ...material }: TlsMaterial): https.AgentOptions {
  return {
    secureContext: createSecureContext({ ...material, minVersion: 'TLSv1.2' }),
    rejectUnauthorized: true,
    ...(servername !== undefined && { servername }),
  };
}

/** Settles when the answer begins. */
function answerOf(
  sent: ClientRequest,
  body: string | undefined,
  limit: Duration,
  connectLimit: Duration,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const expire = (kind: 'connect' | 'answer', after: Duration): NodeJS.Timeout =>
      setTimeout(() => {
        const what = kind === 'connect' ? 'no connection' : 'no answer';
        sent.destroy(new ApiLimitError(kind, `${what} within ${after / 1000} s`));
      }, after);
    const answer = expire('answer', limit);
    let connect: NodeJS.Timeout | undefined;
    sent.on('socket', (socket) => {
      if (!socket.connecting) return;
      connect = expire('connect', connectLimit);
      socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => clearTimeout(connect));
    });
    sent.once('response', (response) => {
      clearTimeout(answer);
      clearTimeout(connect);
      resolve(response);
    });
    sent.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(answer);
      clearTimeout(connect);
      const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(stale ? new StaleConnectionError('stale', { cause: error }) : error);
    });
    sent.end(body);
  });
}

function headersFor(
  request: ApiRequest,
  security: Security,
  body: string | undefined,
): http.OutgoingHttpHeaders {
  return {
    accept: request.accept ?? 'application/json',
    'user-agent': 'fairway',
    ...(request.method === 'GET' && { 'accept-encoding': 'gzip' }),
    ...security.headers,
    ...(body !== undefined && {
      'content-type': request.contentType ?? 'application/json',
      // Without it Node sends the body of a DELETE unframed, and the API server closes the connection.
      'content-length': Buffer.byteLength(body),
    }),
  };
}

/** The body as text, decompressed, within size and time. */
function readBody(response: IncomingMessage, maxBytes: number, limit: Duration): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const zipped = response.headers['content-encoding'] === 'gzip';
    const source: Readable = zipped ? response.pipe(createGunzip()) : response;
    const stop = (error: Error): void => {
      clearTimeout(timer);
      response.destroy();
      reject(error);
    };
    const timer = setTimeout(() => {
      stop(new ApiLimitError('body', `the answer did not end within ${limit / 1000} s`));
    }, limit);
    source.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) stop(new ApiLimitError('size', `the answer is larger than ${maxBytes} bytes`));
      else chunks.push(chunk);
    });
    source.once('end', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks).toString('utf8'));
    });
    source.once('error', stop);
    if (zipped) response.once('error', stop);
    // An aborted answer ends in 'close' without 'end'.
    response.once('aborted', () => stop(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })));
  });
}

const abortError = (message: string): Error => Object.assign(new Error(message), { name: 'AbortError' });
