import { FailureError, type Failure } from '#kernel';

/** What Redis, Postgres and Node say when the other side is away or busy. */
const AWAY =
  /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|Connection|Stream isn't writeable|LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|timeout exceeded|timeout expired|terminat|not queryable|shutting down|starting up|recovery mode|too many clients/i;
const REFUSED = /NOAUTH|WRONGPASS|NOPERM|password authentication failed|permission denied|no pg_hba/i;

/** The one place where an error of the queue's backend becomes a failure. What it does not know is a bug. */
export function classify(thrown: unknown): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  const { code, message, errors } = thrown as {
    code?: string;
    message?: string;
    errors?: readonly unknown[];
  };
  if (!message && errors?.length) return classify(errors[0]);
  const text = `${code ?? ''} ${message ?? String(thrown)}`.trim();
  if (REFUSED.test(text)) {
    return {
      class: 'denied',
      code: 'queue-denied',
      message: `the queue's backend refused us: ${text}`,
      hint: 'Check user and password of FAIRWAY_REDIS_URL or FAIRWAY_DATABASE_URL.',
    };
  }
  if (/Missing lock|Lock mismatch|could not renew lock/i.test(text)) {
    return {
      class: 'conflict',
      code: 'ring-taken-over',
      message: `another worker may have this key now: ${text}`,
    };
  }
  if (AWAY.test(text) || /^(08|57|53)/.test(code ?? '')) return unreachable(text);
  return { class: 'bug', code: 'queue-error', message: text };
}

export const unreachable = (what: string): Failure => ({
  class: 'transient',
  code: 'queue-unreachable',
  message: `the queue is away: ${what}`,
  hint: 'Nothing is lost: what is due is found in the database, only later.',
});
