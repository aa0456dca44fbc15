import type { Failure, FailureClass } from '#kernel';
import { FailureError } from '#kernel';

/** Our own time limits, and bodies that are too large, on their way to {@link classifyThrown}. */
export class EtcdLimitError extends Error {
  override readonly name = 'EtcdLimitError';
  constructor(
    readonly limit: 'connect' | 'answer' | 'size',
    message: string,
  ) {
    super(message);
  }
}

/** gRPC status codes as the gateway writes them. Source: grpc/codes. */
const GRPC = {
  INVALID: 3,
  DEADLINE: 4,
  NOT_FOUND: 5,
  DENIED: 7,
  EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
};

interface Rule {
  readonly says: RegExp;
  readonly class: FailureClass;
  readonly code: string;
  readonly hint?: string;
}

/** By the server's sentence, because one gRPC code stands for many troubles. Source: etcd api/v3rpc/rpctypes/error.go. */
const RULES: readonly Rule[] = [
  { says: /member not found/, class: 'conflict', code: 'etcd-member-not-found' },
  { says: /member ID already exist/, class: 'conflict', code: 'etcd-member-exists' },
  { says: /Peer URLs already exists/, class: 'conflict', code: 'etcd-peer-url-exists' },
  { says: /in sync with leader/, class: 'transient', code: 'etcd-learner-not-ready' },
  { says: /only promote a learner/, class: 'conflict', code: 'etcd-not-learner' },
  {
    says: /too many learner/,
    class: 'blocked',
    code: 'etcd-too-many-learners',
    hint: 'Another learner is in the member list: promote or remove it first.',
  },
  {
    says: /unhealthy cluster|not enough started members/,
    class: 'blocked',
    code: 'etcd-unhealthy-cluster',
    hint: 'etcd refuses a change of members that would endanger its quorum. Bring the members back first.',
  },
  { says: /bad leader transferee/, class: 'conflict', code: 'etcd-bad-transferee' },
  { says: /not leader/, class: 'conflict', code: 'etcd-not-leader' },
  {
    says: /database space exceeded/,
    class: 'blocked',
    code: 'etcd-no-space',
    hint: 'Compact and defragment etcd, then disarm the alarm NOSPACE; or raise its quota.',
  },
  {
    says: /corrupt cluster/,
    class: 'terminal',
    code: 'etcd-corrupt',
    hint: 'The members disagree on their data. Find the odd one by its hash and replace it, or restore a backup.',
  },
  { says: /no leader|leader changed/, class: 'transient', code: 'etcd-no-leader' },
  { says: /timed out|deadline exceeded/, class: 'transient', code: 'etcd-timeout' },
  { says: /too many requests/, class: 'throttled', code: 'etcd-throttled' },
  { says: /not supported for learner/, class: 'transient', code: 'etcd-learner' },
  { says: /server stopped|not capable/, class: 'transient', code: 'etcd-unreachable' },
  { says: /given member URLs are invalid/, class: 'invalid', code: 'etcd-bad-url' },
  { says: /revision has been compacted|future revision/, class: 'conflict', code: 'etcd-revision-gone' },
  {
    says: /permission denied|invalid auth|user name|authentication failed|auth token/,
    class: 'denied',
    code: 'etcd-denied',
    hint: 'etcd knows users and roles and does not let us: the gateway cannot log in by certificate. Give the certificate way only, or turn its authentication off.',
  },
];

/** An HTTP answer that is not 200, and errors inside a stream. */
export function classifyAnswer(action: string, status: number, body: string): Failure {
  const { message, code } = sayingOf(body);
  const words = `${action}: ${message || `HTTP ${status}`}`;
  const rule = RULES.find(({ says }) => says.test(message));
  if (rule) {
    return {
      class: rule.class,
      code: rule.code,
      message: words,
      ...(rule.hint !== undefined && { hint: rule.hint }),
    };
  }
  return byCode(words, code, status);
}

function byCode(message: string, code: number | undefined, status: number): Failure {
  if (code === GRPC.UNIMPLEMENTED || (code === undefined && status === 404)) {
    return {
      class: 'invalid',
      code: 'etcd-unsupported',
      message,
      hint: 'This etcd does not know the call: 3.4 or newer with its gRPC gateway (--enable-grpc-gateway) is needed.',
    };
  }
  if (code === GRPC.NOT_FOUND) return { class: 'conflict', code: 'etcd-not-found', message };
  if (code === GRPC.DATA_LOSS) return { class: 'terminal', code: 'etcd-corrupt', message };
  if (code === GRPC.DEADLINE) return { class: 'transient', code: 'etcd-timeout', message };
  if (code === GRPC.EXHAUSTED || status === 429)
    return { class: 'throttled', code: 'etcd-throttled', message };
  if (code === GRPC.DENIED || code === GRPC.UNAUTHENTICATED || status === 401 || status === 403) {
    return { class: 'denied', code: 'etcd-denied', message };
  }
  if (code === GRPC.UNAVAILABLE || status >= 500)
    return { class: 'transient', code: 'etcd-unreachable', message };
  if (code === GRPC.INVALID || status === 400) return { class: 'invalid', code: 'etcd-bad-request', message };
  return { class: 'bug', code: 'etcd-unclassified', message };
}

/** `{error, message, code}` of an answer, `{error: {message, grpc_code}}` of a stream; anything else is quoted in part. */
function sayingOf(body: string): { readonly message: string; readonly code?: number } {
  try {
    const parsed = JSON.parse(body) as { error?: unknown; message?: unknown; code?: unknown };
    const inner = typeof parsed.error === 'object' && parsed.error !== null ? parsed.error : parsed;
    const { message, error, code, grpc_code: grpc } = inner as Record<string, unknown>;
    const text = typeof message === 'string' ? message : typeof error === 'string' ? error : '';
    const number = typeof code === 'number' ? code : grpc;
    return { message: text, ...(typeof number === 'number' && { code: number }) };
  } catch {
    return { message: body.replace(/\s+/g, ' ').trim().slice(0, 120) };
  }
}

const UNTRUSTED =
  /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|INVALID_CA|INVALID_PURPOSE|ERR_TLS_CERT_ALTNAME)/;
const NETWORK =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|EADDRNOTAVAIL|HPE_|ERR_STREAM_PREMATURE_CLOSE)/;

/** What came instead of an answer. */
export function classifyThrown(action: string, thrown: unknown): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  if (thrown instanceof EtcdLimitError) return classifyLimit(action, thrown);
  if (!(thrown instanceof Error)) {
    return { class: 'bug', code: 'etcd-unclassified', message: `${action}: ${String(thrown)}` };
  }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  const message = `${action}: ${thrown.message || code}`;
  if (UNTRUSTED.test(code)) return classifyTrust(code, message);
  if (/^(EPROTO|ERR_SSL_|ERR_OSSL_|ERR_TLS_)/.test(code)) return classifyTls(message);
  if (NETWORK.test(code) || /socket hang up|aborted/.test(thrown.message)) {
    return { class: 'transient', code: 'etcd-unreachable', message };
  }
  return { class: 'bug', code: 'etcd-unclassified', message: `${action}: ${thrown.name}: ${thrown.message}` };
}

const classifyLimit = (action: string, { limit, message }: EtcdLimitError): Failure => ({
  class: limit === 'size' ? 'terminal' : 'transient',
  code:
    limit === 'size' ? 'etcd-answer-too-large' : limit === 'connect' ? 'etcd-unreachable' : 'etcd-timeout',
  message: `${action}: ${message}`,
});

const classifyTrust = (code: string, message: string): Failure => ({
  class: 'denied',
  code: 'etcd-tls-untrusted',
  message,
  hint:
    code === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? "The server's certificate does not name the endpoint's host: correct etcd_endpoints, or name what it carries in etcd_server_name."
      : "The server's certificate is not signed by etcd-ca.crt of the cluster's credentials, or is out of date.",
});

function classifyTls(message: string): Failure {
  if (/wrong version number|packet length too long|http request/i.test(message)) {
    return {
      class: 'invalid',
      code: 'etcd-tls-protocol',
      message,
      hint: 'The endpoint does not speak TLS: write http:// in etcd_endpoints, or give etcd its certificates.',
    };
  }
  return {
    class: 'denied',
    code: 'etcd-tls-refused',
    message,
    hint: 'etcd did not take the client certificate: etcd-tls.crt must be signed by its trusted CA (--trusted-ca-file) and allowed for client authentication.',
  };
}

/** True where the request surely changed nothing, so that the next endpoint may be asked also for a write. */
export function surelyNotDone({ code }: Failure, thrown: unknown): boolean {
  if (code === 'etcd-learner' || code === 'etcd-tls-untrusted' || code === 'etcd-tls-refused') return true;
  if (thrown instanceof EtcdLimitError) return thrown.limit === 'connect';
  const name = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return (
    name === 'ECONNREFUSED' ||
    name === 'EHOSTUNREACH' ||
    name === 'ENETUNREACH' ||
    name === 'ENOTFOUND' ||
    name === 'EAI_AGAIN'
  );
}
