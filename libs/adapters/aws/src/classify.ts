import { FailureError, type Failure } from '#kernel';
import { BY_NAME, BY_WORDS, NETWORK, TLS, type Verdict } from './error-codes.js';
import { explainAnswer } from './unreadable-answer.js';

/** What the SDK throws, as far as it is looked at. Every field may be missing. */
interface SdkError {
  readonly name: string;
  readonly message: string;
  readonly code: string;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** True where the body could not be read as the protocol's answer. */
  readonly unreadable: boolean;
  /** What came instead of an answer of AWS, for people. */
  readonly answer: string | undefined;
}

/**
 * The one place where an error of the AWS SDK becomes a {@link Failure}. `action` is the call, for people:
 * `cloudformation DescribeStacks in 123456789012/eu-central-1`. `stranger` is the host that answered where that is not AWS.
 */
export function classify(thrown: unknown, action: string, stranger?: string): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  const error = readError(thrown);
  const text = (error.answer ?? `${error.name}: ${error.message}`).slice(0, 1500);
  const message = `${action}: ${text}`;
  const [kind, code, ownHint] = verdict(error);
  const hint = ownHint ?? (stranger === undefined ? undefined : strangersHint(code, stranger));
  return {
    class: kind,
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  };
}

/** Emulators lack actions and crash in them; who reads the failure should not look for the fault in AWS. */
const strangersHint = (code: string, host: string): string | undefined =>
  code === 'aws-answer-unreadable' || code === 'aws-error-unknown'
    ? `${host} answered, which is not AWS: it may lack this action, or answer it differently.`
    : undefined;

function verdict(error: SdkError): Verdict {
  // LocalStack says InternalFailure with this status, others give no code at all.
  if (error.status === 501) return BY_NAME['NotImplemented'] as Verdict;
  const known = BY_NAME[error.name];
  if (known) return known;
  if (error.status === 429) return ['throttled', 'aws-throttled'];
  if (NETWORK.has(error.code) || error.message === 'socket hang up') {
    return error.code === 'ENOTFOUND'
      ? [
          'transient',
          'aws-unreachable',
          'The endpoint does not resolve: check the region and AWS_ENDPOINT_URL.',
        ]
      : ['transient', 'aws-unreachable'];
  }
  if (TLS.test(error.code))
    return ['denied', 'aws-tls-untrusted', 'The certificate of the endpoint is not trusted.'];
  for (const [pattern, found] of BY_WORDS) {
    if (pattern.test(error.message) && (error.status === undefined || error.status < 500)) return found;
  }
  // HTML from a proxy, or half an answer: nothing is known about what AWS thinks.
  if (error.unreadable) return ['transient', 'aws-answer-unreadable'];
  if (error.status !== undefined && error.status >= 500) return ['transient', 'aws-error'];
  if (/\.(NotFound|Malformed)$|NotFound(Exception)?$/.test(error.name)) return ['conflict', 'aws-missing'];
  if (
    /^(Validation|Invalid|Missing|Malformed|Unknown(Parameter|Action)|Duplicate|Unsupported|TemplateURL)/.test(
      error.name,
    )
  ) {
    return ['invalid', 'aws-invalid'];
  }
  if (error.status === 403) return ['denied', 'aws-denied'];
  if (error.status === 401) return ['denied', 'aws-credentials-invalid'];
  return ['bug', 'aws-error-unknown'];
}

/** The service's error code and words of a classified failure; empty where there are none. */
export function awsError(thrown: unknown): { readonly name: string; readonly message: string } {
  const cause = thrown instanceof FailureError ? thrown.cause : thrown;
  return cause instanceof Error ? { name: cause.name, message: cause.message } : { name: '', message: '' };
}

/**
 * True for a call that the endpoint does not know. AWS always says so by code; what is not AWS may as well answer with
 * an HTML page, or with a crash.
 */
export const isUnsupported = (thrown: unknown, stranger: string | undefined): boolean =>
  failureCode(thrown) === 'aws-action-unsupported' ||
  (stranger !== undefined && failureCode(thrown) === 'aws-answer-unreadable');

/**
 * What an answer of AWS always has. A proxy's page, or the answer to another question, parses as one that lacks everything:
 * no account, no stacks.
 */
export function answered<T>(value: T | undefined, action: string): T {
  if (value !== undefined) return value;
  throw new FailureError({
    class: 'transient',
    code: 'aws-answer-unreadable',
    message: `${action}: the answer lacks what AWS always says`,
    hint: 'Something between Fairway and AWS may have answered: a proxy, a login page. It is asked again.',
  });
}

export const failureCode = (thrown: unknown): string =>
  thrown instanceof FailureError ? thrown.failure.code : '';

function readError(thrown: unknown): SdkError {
  if (!(thrown instanceof Error)) {
    return {
      name: 'Error',
      message: String(thrown),
      code: '',
      status: undefined,
      retryAfterMs: undefined,
      unreadable: false,
      answer: undefined,
    };
  }
  const fields = thrown as Error & {
    code?: unknown;
    Code?: unknown;
    $responseBodyText?: unknown;
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number; headers?: Record<string, string> };
  };
  const status = fields.$metadata?.httpStatusCode ?? fields.$response?.statusCode;
  const generic =
    thrown.name === 'Error' || thrown.name === 'AggregateError' || thrown.name === 'UnknownError';
  const retryAfter = Number(fields.$response?.headers?.['retry-after']);
  const unreadable =
    thrown.name === 'SyntaxError' ||
    /Deserialization error|char '.*' is not expected|Unexpected token|Unclosed|is not valid JSON/.test(
      thrown.message,
    ) ||
    (thrown.name === 'UnknownError' && status !== undefined);
  return {
    name: generic && typeof fields.Code === 'string' ? fields.Code : thrown.name,
    message: thrown.message || (typeof fields.code === 'string' ? fields.code : ''),
    code: typeof fields.code === 'string' ? fields.code : '',
    status,
    retryAfterMs: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1000 : undefined,
    unreadable,
    answer: unreadable ? explainAnswer(status, fields.$responseBodyText) : undefined,
  };
}
