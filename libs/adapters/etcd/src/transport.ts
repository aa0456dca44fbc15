import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { urlToHttpOptions } from 'node:url';
import { seconds, type Duration } from '#kernel';
import { EtcdLimitError } from './classify.js';

/** What proves us to the servers, and them to us. Secrets: never logged. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

export interface TransportLimits {
  readonly connectTimeout: Duration;
  /** Until the answer is complete. */
  readonly answerTimeout: Duration;
  /** Between two parts of a long answer. */
  readonly idleTimeout: Duration;
  readonly maxBodyBytes: number;
}

export const DEFAULT_LIMITS: TransportLimits = {
  connectTimeout: seconds(3),
  answerTimeout: seconds(10),
  idleTimeout: seconds(60),
  maxBodyBytes: 16 * 1024 * 1024,
};

export interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Request {
  readonly method: 'GET' | 'POST';
  /** Below the endpoint's URL: `/v3/maintenance/status`. */
  readonly path: string;
  readonly body?: string;
  readonly timeout?: Duration;
}

interface Agents {
  readonly tls: TlsMaterial;
  readonly plain: http.Agent;
  readonly secure: https.Agent;
}

/** HTTP to the endpoints of one etcd cluster: one pool of kept connections under one set of credentials. */
export class Transport {
  #agents: Agents | undefined;

  constructor(
    private readonly tls: () => Promise<TlsMaterial>,
    private readonly limits: TransportLimits,
  ) {}

  /** Any HTTP answer; what prevents one is thrown as it came. */
  async send(endpoint: string, request: Request): Promise<Answer> {
    const limit = request.timeout ?? this.limits.answerTimeout;
    const signal = AbortSignal.timeout(limit);
    try {
      const response = await this.#start(endpoint, request, signal);
      return await collect(response, this.limits.maxBodyBytes);
    } catch (thrown) {
      if (signal.aborted) throw new EtcdLimitError('answer', `no answer within ${limit / 1000} s`);
      throw thrown;
    }
  }

  /** A long answer, read at the caller's pace. The caller consumes or destroys it. */
  async open(endpoint: string, request: Request): Promise<IncomingMessage> {
    // The time limit guards the gaps, not the whole: a snapshot may take minutes.
    const response = await this.#start(endpoint, request, undefined);
    response.setTimeout(this.limits.idleTimeout, () =>
      response.destroy(new EtcdLimitError('answer', `nothing came for ${this.limits.idleTimeout / 1000} s`)),
    );
    return response;
  }

  close(): void {
    this.#agents?.plain.destroy();
    this.#agents?.secure.destroy();
    this.#agents = undefined;
  }

  async #start(
    endpoint: string,
    request: Request,
    signal: AbortSignal | undefined,
  ): Promise<IncomingMessage> {
    const base = new URL(endpoint);
    const secure = base.protocol === 'https:';
    const agents = this.#agentsFor(secure ? await this.tls() : (this.#agents?.tls ?? {}));
    const { body } = request;
    const sent = (secure ? https : http).request({
      ...urlToHttpOptions(base),
      method: request.method,
      path: `${base.pathname.replace(/\/+$/, '')}${request.path}`,
      agent: secure ? agents.secure : agents.plain,
      headers: {
        accept: 'application/json',
        ...(body !== undefined && {
          'content-type': 'application/json',
          'content-length': String(Buffer.byteLength(body)),
        }),
      },
      ...(signal && { signal }),
    });
    return answerOf(sent, body, this.limits.connectTimeout);
  }

  /** New material, new connections: those of a former certificate are let go. */
  #agentsFor(tls: TlsMaterial): Agents {
    const known = this.#agents;
    const same = (['ca', 'cert', 'key', 'servername'] as const).every(
      (part) => known?.tls[part] === tls[part],
    );
    if (known && same) return known;
    this.close();
    const options = { keepAlive: true, maxFreeSockets: 4 };
    const agents = { tls, plain: new http.Agent(options), secure: new https.Agent({ ...options, ...tls }) };
    this.#agents = agents;
    return agents;
  }
}

function answerOf(
  sent: http.ClientRequest,
  body: string | undefined,
  connectTimeout: Duration,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      sent.destroy(new EtcdLimitError('connect', `no connection within ${connectTimeout / 1000} s`));
    }, connectTimeout);
    const settled = (): void => clearTimeout(timer);
    sent.once('socket', (socket) => {
      if (sent.reusedSocket || !socket.connecting) return settled();
      socket.once(socket instanceof Object && 'encrypted' in socket ? 'secureConnect' : 'connect', settled);
    });
    sent.once('response', (response) => {
      settled();
      resolve(response);
    });
    sent.once('error', (error) => {
      settled();
      reject(error);
    });
    sent.end(body);
  });
}

export async function collect(response: IncomingMessage, maxBytes: number): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new EtcdLimitError('size', `the answer is larger than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') };
}
