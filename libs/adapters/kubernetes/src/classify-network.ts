import type { Failure } from '#kernel';
import type { RequestContext } from './request-context.js';

/** Our own time limits, and bodies that are too large, on their way to {@link classify}. */
export class ApiLimitError extends Error {
  override readonly name = 'ApiLimitError';
  constructor(
    readonly limit: 'connect' | 'answer' | 'body' | 'size',
    message: string,
  ) {
    super(message);
  }
}

const UNTRUSTED = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EADDRNOTAVAIL',
  'EMFILE',
  'HPE_INVALID_CONSTANT',
  'HPE_INVALID_VERSION',
  'HPE_INVALID_HEADER_TOKEN',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ECONNCLOSED',
  'Z_BUF_ERROR',
  'Z_DATA_ERROR',
]);

/** What came instead of an answer. */
export function classifyError(thrown: unknown, context: RequestContext): Failure {
  if (thrown instanceof ApiLimitError) return classifyLimit(thrown, context);
  if (!(thrown instanceof Error)) {
    return { class: 'bug', code: 'unclassified-error', message: `${context.action}: ${String(thrown)}` };
  }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  const message = `${context.action}: ${thrown.message || code}`;
  if (thrown.name === 'AbortError' || code === 'ABORT_ERR') {
    return { class: 'transient', code: 'request-aborted', message };
  }
  if (UNTRUSTED.has(code)) return classifyUntrusted(code, message);
  if (/^(EPROTO$|ERR_SSL_|ERR_OSSL_|ERR_TLS_)/.test(code)) return classifyTls(code, thrown.message, message);
  if (NETWORK.has(code) || thrown.message === 'socket hang up' || thrown.message === 'aborted') {
    const hint = code === 'ENOTFOUND' ? { hint: 'The name in api_server_url does not resolve.' } : {};
    return { class: 'transient', code: 'api-unreachable', message, ...hint };
  }
  const words = `${thrown.name}: ${thrown.message}`;
  return { class: 'bug', code: 'unclassified-error', message: `${context.action}: ${words}` };
}

const classifyUntrusted = (code: string, message: string): Failure => ({
  class: 'denied',
  code: 'api-tls-untrusted',
  message,
  hint:
    code === 'ERR_TLS_CERT_ALTNAME_INVALID'
      ? "The certificate does not name the host of api_server_url: correct the URL or the API server's certificate."
      : "The API server's certificate is not signed by the CA in the cluster's credentials (ca.crt), or is out of date.",
});

function classifyTls(code: string, words: string, message: string): Failure {
  if (
    /wrong version number|packet length too long|http request/i.test(`${code} ${words}`.replaceAll('_', ' '))
  ) {
    return {
      class: 'invalid',
      code: 'api-tls-protocol',
      message,
      hint: 'The port of api_server_url does not speak TLS.',
    };
  }
  return {
    class: 'denied',
    code: 'api-tls-refused',
    message,
    hint: 'The TLS handshake failed: the client certificate, its key, or the CA file is not usable for this API server.',
  };
}

function classifyLimit(error: ApiLimitError, context: RequestContext): Failure {
  const message = `${context.action}: ${error.message}`;
  return error.limit === 'size'
    ? { class: 'terminal', code: 'answer-too-large', message }
    : {
        class: 'transient',
        code: 'api-unreachable',
        message,
        hint: 'The API server, or the address in api_server_url, does not answer in time.',
      };
}
