import { seconds, type Duration } from '#kernel';
import type { HealthAnswer, HealthProbePort, HealthQuestion } from '#ports';
import { systemResolve, type Resolve } from './address-guard.js';
import { get, type SenderOptions, type SendResult } from './http-sender.js';

export interface HealthProberOptions {
  /** Base address of Prometheus or of what speaks as it does. The operator's word: it may be private. */
  readonly prometheusUrl?: string | undefined;
  /** Lets checks by address, which come from the repository, go to private and loopback addresses. Never metadata services. */
  readonly allowPrivate?: boolean;
  readonly timeout?: Duration;
  readonly resolve?: Resolve;
}

const DEFAULT_TIMEOUT = seconds(10);
const MAX_ANSWER_BYTES = 256 * 1024;
const HEADERS = { accept: 'application/json, */*', 'user-agent': 'Fairway' };

/** Asks Prometheus and plain HTTP endpoints. */
export function createHealthProber(options: HealthProberOptions = {}): HealthProbePort {
  const sender = (allowPrivate: boolean): SenderOptions => ({
    allowPrivate,
    timeout: options.timeout ?? DEFAULT_TIMEOUT,
    maxResponseBytes: MAX_ANSWER_BYTES,
    keepCharacters: MAX_ANSWER_BYTES,
    resolve: options.resolve ?? systemResolve,
  });
  return {
    ask: async (question) =>
      'promql' in question
        ? askPrometheus(options.prometheusUrl, question, sender(true))
        : answerOf(await get(question.url, HEADERS, sender(options.allowPrivate ?? false))),
  };
}

function answerOf(sent: SendResult): HealthAnswer {
  if (sent.kind !== 'answered') return { state: 'error', message: sent.reason };
  if (sent.status >= 200 && sent.status < 300) return { state: 'pass', message: `HTTP ${sent.status}` };
  if (sent.status >= 300 && sent.status < 400)
    return { state: 'error', message: `HTTP ${sent.status}: redirects are not followed` };
  return { state: 'fail', message: `HTTP ${sent.status}` };
}

/** Source: Prometheus HTTP API, "Instant queries". */
async function askPrometheus(
  base: string | undefined,
  question: Extract<HealthQuestion, { promql: string }>,
  sender: SenderOptions,
): Promise<HealthAnswer> {
  if (base === undefined)
    return { state: 'error', message: 'there is nobody to ask: FAIRWAY_PROMETHEUS_URL is not set' };
  const query = new URLSearchParams({ query: question.promql });
  const sent = await get(`${base.replace(/\/+$/, '')}/api/v1/query?${query}`, HEADERS, sender);
  if (sent.kind !== 'answered') return { state: 'error', message: sent.reason };
  const values = valuesOf(sent.body);
  if (sent.status !== 200 || values === undefined)
    return { state: 'error', message: `HTTP ${sent.status}, and no result of a query` };
  if (values.length === 0) return { state: 'pending', message: 'no data' };
  if (values.some((value) => Number.isNaN(value)))
    return { state: 'pending', message: 'a value is no number' };
  const worst = Math.max(...values);
  const found = `${worst} (at most ${question.max} is well${values.length === 1 ? '' : `, worst of ${values.length}`})`;
  return { state: worst <= question.max ? 'pass' : 'fail', message: found };
}

/** Numbers of a vector or a scalar; undefined where the answer is none. */
function valuesOf(body: string): readonly number[] | undefined {
  let said: unknown;
  try {
    said = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { status, data } = (said ?? {}) as {
    status?: unknown;
    data?: { resultType?: unknown; result?: unknown };
  };
  if (status !== 'success' || !Array.isArray(data?.result)) return undefined;
  if (data.resultType === 'scalar') return [sample(data.result)];
  if (data.resultType !== 'vector') return undefined;
  return (data.result as { value?: unknown }[]).map((one) => sample(one?.value));
}

/** `[time, "value"]`; anything else is no number. */
const sample = (pair: unknown): number => {
  const text: unknown = Array.isArray(pair) ? pair[1] : undefined;
  return typeof text === 'string' && text !== '' ? Number(text.replace(/^([+-]?)Inf$/, '$1Infinity')) : NaN;
};
