import type { MetricSample } from '#ports';
import type { ApiTransport } from './api-transport.js';
import { failureError } from './classify.js';
import { samplesOf } from './prometheus-text.js';
import type { RequestContext } from './request-context.js';
import { isRecord, parseJson } from './status.js';

const read = (action: string): RequestContext => ({ action, verb: 'read' });

/** `v1.36.0` */
export async function readVersion(transport: ApiTransport): Promise<string> {
  const context = read('read the version');
  const answer = await transport.send({ method: 'GET', path: '/version', context });
  const version = answer.status === 200 ? parseJson(answer.body) : undefined;
  if (isRecord(version) && typeof version['gitVersion'] === 'string') return version['gitVersion'];
  throw failureError(answer.status === 200 ? { ...answer, status: 502 } : answer, context);
}

/** Away is an answer; not being let in, or a certificate that nobody trusts, needs a person. */
export async function askReady(transport: ApiTransport): Promise<boolean> {
  const context = read('ask whether the API is ready');
  const request = { method: 'GET', path: '/readyz', context, patient: false, accept: '*/*' } as const;
  try {
    const answer = await transport.send(request);
    if (answer.status === 401 || answer.status === 403) throw failureError(answer, context);
    return answer.status === 200 && answer.body.trim() === 'ok';
  } catch (thrown) {
    const { failure } = failureError(thrown, context);
    if (failure.class === 'transient' || failure.class === 'throttled') return false;
    throw thrown;
  }
}

/** Samples of the API server that answers; others count for themselves. */
export async function readMetrics(
  transport: ApiTransport,
  names: readonly string[],
): Promise<readonly MetricSample[]> {
  const context = read('read /metrics');
  const answer = await transport.send({ method: 'GET', path: '/metrics', accept: 'text/plain', context });
  if (answer.status !== 200) throw failureError(answer, context);
  return samplesOf(answer.body, names);
}
