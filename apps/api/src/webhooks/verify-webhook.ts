import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Webhook } from 'standardwebhooks';

/** What a Git host sent, unread. */
interface SentWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Whether the sender knows the secret. All comparisons take the same time whatever the difference. */
export type Verify = (sent: SentWebhook) => boolean;

const headerOf = (headers: IncomingHttpHeaders, name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
};

/** HMAC-SHA-256 over the raw body, in hex, in the first of the headers that is there; `prefix` stands before the hex. */
export const verifyHmac =
  (secret: string, names: readonly string[], prefix: RegExp): Verify =>
  ({ headers, body }) => {
    const given = names.map((name) => headerOf(headers, name)).find((value) => value !== '') ?? '';
    const hex = prefix.exec(given)?.[1];
    if (hex === undefined) return false;
    return timingSafeEqual(Buffer.from(hex, 'hex'), createHmac('sha256', secret).update(body).digest());
  };

export const PREFIXED = /^sha256=([0-9a-f]{64})$/i;
export const BARE_OR_PREFIXED = /^(?:sha256=)?([0-9a-f]{64})$/i;

/** The secret itself in a header, as GitLab does it. Hashed first, so that lengths are equal. */
export const verifyToken =
  (token: string, name: string): Verify =>
  ({ headers }) => {
    const digest = (text: string): Buffer => createHmac('sha256', 'fairway').update(text).digest();
    return timingSafeEqual(digest(headerOf(headers, name)), digest(token));
  };

/** Standard Webhooks, with its time window of five minutes. */
export const verifyStandard =
  (secret: string): Verify =>
  ({ headers, body }) => {
    try {
      new Webhook(secret).verify(body.toString('utf8'), {
        'webhook-id': headerOf(headers, 'webhook-id'),
        'webhook-timestamp': headerOf(headers, 'webhook-timestamp'),
        'webhook-signature': headerOf(headers, 'webhook-signature'),
      });
      return true;
    } catch (error) {
      // A signed body that is no JSON is signed all the same: nothing of it is read.
      return error instanceof SyntaxError;
    }
  };
