import { Webhook } from 'standardwebhooks';
import type { Instant } from '#kernel';
import type { StoredEvent } from '#fleet';

/** The body that receivers get: `type`, `timestamp` of the event, `data`. Source: Standard Webhooks, "Payload structure". */
export const webhookBody = (event: StoredEvent): string =>
  JSON.stringify({
    type: event.type,
    timestamp: new Date(event.at).toISOString(),
    data: {
      id: event.id,
      severity: event.severity,
      subject: event.subject,
      message: event.message,
      ...(event.channel !== undefined && { channel: event.channel }),
      ...(event.clusterId !== undefined && { clusterId: event.clusterId }),
      details: event.data,
    },
  });

/** The parts of what is signed are joined by full stops, so the id has none. */
const messageId = (deliveryId: string): string => `msg_${deliveryId.replace(/[^A-Za-z0-9_-]/g, '_')}`;

/**
 * Headers of one attempt. The id is the same for all attempts, so that a receiver can tell a repetition; time and
 * signature are the attempt's own. One signature per secret, so that receivers can change theirs in peace.
 */
export function webhookHeaders(
  deliveryId: string,
  now: Instant,
  body: string,
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const at = new Date(now);
  const id = messageId(deliveryId);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}
