import { FailureError, type Failure, type FailureDetail } from '#kernel';
import { classifyError } from './classify-network.js';
import type { RequestContext } from './request-context.js';
import { excerpt, parseStatus, retryAfterMs, type ApiAnswer, type ApiStatus } from './status.js';

/** The one place where what went wrong with a Kubernetes API becomes a {@link Failure}. */
export function classify(trouble: unknown, context: RequestContext): Failure {
  if (trouble instanceof FailureError) return trouble.failure;
  if (isAnswer(trouble)) return classifyAnswer(trouble, context);
  return classifyError(trouble, context);
}

export const failureError = (trouble: unknown, context: RequestContext): FailureError =>
  trouble instanceof FailureError
    ? trouble
    : new FailureError(classify(trouble, context), trouble instanceof Error ? { cause: trouble } : undefined);

const isAnswer = (value: unknown): value is ApiAnswer =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Error) &&
  'status' in value &&
  'body' in value;

function classifyAnswer(answer: ApiAnswer, context: RequestContext): Failure {
  const status = parseStatus(answer.body);
  if (status === undefined) return classifyForeign(answer, context);
  const words = status.message || `the API answered ${answer.status} ${status.reason}`;
  const message = `${context.action}: ${hideValues(words, context)}`;
  return classifyWords(status, answer, message, context) ?? classifyCode(status, answer, message, context);
}

function classifyCode(
  status: ApiStatus,
  answer: ApiAnswer,
  message: string,
  context: RequestContext,
): Failure {
  if (answer.status >= 500) {
    const code = GATEWAY.has(answer.status) ? 'api-unreachable' : 'api-error';
    return { class: 'transient', code, message, ...wait(answer) };
  }
  switch (answer.status) {
    case 401:
      return { class: 'denied', code: 'api-denied', message, hint: UNAUTHENTICATED };
    case 403:
      return { class: 'denied', code: 'api-denied', message, hint: 'Grant the missing verb by RBAC.' };
    case 400:
    case 422:
      return { class: 'invalid', code: 'object-invalid', message, ...causes(status, context) };
    case 404:
      return classifyNotFound(status, message);
    case 405:
      return { class: 'invalid', code: 'method-not-allowed', message };
    case 409:
      return classifyConflict(status, message);
    case 410:
      return { class: 'conflict', code: 'resource-expired', message };
    case 413:
      return { class: 'invalid', code: 'object-too-large', message };
    case 429:
      return {
        class: 'throttled',
        code: 'api-throttled',
        message,
        retryAfterMs: retryAfterMs(answer) ?? 1000,
      };
    default:
      return { class: 'bug', code: 'api-answer-unknown', message: `${message} (${answer.status})` };
  }
}

const GATEWAY = new Set([502, 503, 504]);

const UNAUTHENTICATED =
  "The API server does not accept the cluster's credentials: they are expired, revoked or of another cluster.";

/** Cases that only the words tell apart: the same words come under several codes, depending on the server's version. */
function classifyWords(
  status: ApiStatus,
  answer: ApiAnswer,
  message: string,
  context: RequestContext,
): Failure | undefined {
  const words = status.message;
  if (isAdmissionDenial(words)) {
    const hint = 'An admission webhook or policy of the cluster refuses this.';
    // A denied delete can be unblocked by somebody; a denied write needs another object.
    const kind = context.verb === 'delete' ? 'blocked' : 'invalid';
    return { class: kind, code: 'admission-denied', message, hint, ...causes(status, context) };
  }
  if (/failed calling webhook|failed to call webhook/.test(words)) {
    const hint =
      'The webhook of that name does not answer; its service or its network policy needs attention.';
    return { class: 'transient', code: 'webhook-unreachable', message, hint, ...wait(answer) };
  }
  if (isNamespaceTerminating(status)) {
    const hint = 'Wait until the namespace is gone.';
    return { class: 'blocked', code: 'namespace-terminating', message, hint };
  }
  if (/exceeded quota:|failed quota:/.test(words)) {
    return {
      class: 'blocked',
      code: 'quota-exceeded',
      message,
      hint: "Raise the namespace's ResourceQuota.",
    };
  }
  // Server-side apply reports unknown, mistyped and undecodable fields of built-in kinds as a plain 500.
  if (UNTYPED.test(words)) {
    return { class: 'invalid', code: 'object-invalid', message, ...typedField(words) };
  }
  return undefined;
}

const UNTYPED =
  /failed to create typed|field not declared in schema|failed to create manager for|failed to convert new object/;

export const isNamespaceTerminating = (status: ApiStatus): boolean =>
  status.causes.some((cause) => cause.type === 'NamespaceTerminating') ||
  status.message.endsWith('is being terminated');

/** Words of validating webhooks, ValidatingAdmissionPolicies and Pod Security. */
export const isAdmissionDenial = (words: string): boolean =>
  /admission webhook "[^"]*" denied|denied the request|denied request:|violates PodSecurity/.test(words);

function classifyNotFound(status: ApiStatus, message: string): Failure {
  if (status.kind === 'namespaces') {
    return { class: 'invalid', code: 'not-found', message, hint: 'Add the namespace to the manifests.' };
  }
  if (status.name === undefined || status.name === '') {
    return {
      class: 'invalid',
      code: 'kind-unknown',
      message,
      hint: 'The cluster does not serve this kind: its CRD is missing or not established yet.',
    };
  }
  return { class: 'conflict', code: 'not-found', message };
}

function classifyConflict(status: ApiStatus, message: string): Failure {
  if (status.reason === 'AlreadyExists') return { class: 'conflict', code: 'already-exists', message };
  const fields = status.causes.filter((cause) => cause.type === 'FieldManagerConflict');
  if (fields.length > 0) {
    return {
      class: 'conflict',
      code: 'field-conflict',
      message,
      hint: 'Another field manager owns these fields.',
      details: fields.map(detailOf),
    };
  }
  return { class: 'conflict', code: isUidMismatch(status) ? 'object-replaced' : 'object-changed', message };
}

/** The object of that name is another one than the caller meant. */
export const isUidMismatch = (status: ApiStatus): boolean =>
  /UID in the precondition|Precondition failed: UID|uid mismatch/i.test(status.message);

/** An answer that the API server did not write. */
function classifyForeign(answer: ApiAnswer, context: RequestContext): Failure {
  const said = excerpt(answer.body);
  const message = `${context.action}: HTTP ${answer.status}${said === '' ? '' : `, "${said}"`}`;
  if (answer.status === 429) {
    // Priority and fairness rejects with plain text.
    return { class: 'throttled', code: 'api-throttled', message, retryAfterMs: retryAfterMs(answer) ?? 1000 };
  }
  if (answer.status === 401 || answer.status === 403) {
    return {
      class: 'denied',
      code: 'api-denied',
      message,
      hint: 'A proxy in front of the API server refuses the call.',
    };
  }
  if (answer.status >= 300 && answer.status < 400) {
    return {
      class: 'denied',
      code: 'api-redirected',
      message,
      hint: 'api_server_url leads to a redirect, most likely a login page, not to a Kubernetes API.',
    };
  }
  if (answer.status === 413) return { class: 'invalid', code: 'object-too-large', message };
  return {
    class: 'transient',
    code: 'api-unreachable',
    message: `${message} (not an answer of a Kubernetes API)`,
    hint: 'A load balancer or proxy answered. Check the API servers behind it, and api_server_url.',
    ...wait(answer),
  };
}

const wait = (answer: ApiAnswer): { retryAfterMs?: number } => {
  const asked = retryAfterMs(answer);
  return asked === undefined ? {} : { retryAfterMs: asked };
};

function causes(status: ApiStatus, context: RequestContext): { details?: readonly FailureDetail[] } {
  if (status.causes.length === 0) return {};
  return {
    details: status.causes.map((cause) => {
      const detail = detailOf(cause);
      return { ...detail, message: hideValues(detail.message, context) };
    }),
  };
}

const detailOf = (cause: ApiStatus['causes'][number]): FailureDetail => ({
  message: cause.message,
  ...(cause.field !== undefined && { place: { field: cause.field } }),
});

/** `….spec.replica: field not declared in schema` → the field. */
function typedField(words: string): { place?: { field: string } } {
  const field = /(\.[A-Za-z][\w.[\]"=-]*): (?:field not declared|expected|errors|duplicate)/.exec(words)?.[1];
  return field === undefined ? {} : { place: { field: field.slice(1) } };
}

/** The server quotes values that it refuses; of Secrets they must not travel on. */
function hideValues(words: string, context: RequestContext): string {
  if (context.secret !== true) return words;
  return words
    .replace(/(Invalid value: |Unsupported value: )(?:"(?:[^"\\]|\\.)*"|[^:]*)/g, '$1(hidden)')
    .replace(/(expected [\w ()]+, got ).*/gs, '$1(hidden)');
}
