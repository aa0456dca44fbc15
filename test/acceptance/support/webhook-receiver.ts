import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface ReceivedWebhook {
  readonly id: string;
  readonly type: string;
  readonly eventId: number;
  readonly subject: string;
  readonly message: string;
  /** Whether the signature was ours. */
  readonly signed: boolean;
}

export interface WebhookReceiver {
  readonly url: string;
  readonly secret: string;
  readonly received: readonly ReceivedWebhook[];
  /** Answers the next `times` deliveries with 503, after having taken them. */
  failNext(times: number): void;
  close(): Promise<void>;
}

/** A receiver of signed events on loopback. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const secret = `whsec_${Buffer.from('a-secret-of-the-acceptance-tests').toString('base64')}`;
  const received: ReceivedWebhook[] = [];
  let failing = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      received.push(read(text, request.headers as Record<string, string>, secret));
      const status = failing > 0 ? 503 : 204;
      failing = Math.max(0, failing - 1);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    secret,
    received,
    failNext: (times) => void (failing = times),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function read(text: string, headers: Record<string, string>, secret: string): ReceivedWebhook {
  const body = JSON.parse(text) as {
    type: string;
    data: { id: number; subject: string; message: string };
  };
  return {
    id: headers['webhook-id'] ?? '',
    type: body.type,
    eventId: body.data.id,
    subject: body.data.subject,
    message: body.data.message,
    signed: verifies(text, headers, secret),
  };
}

function verifies(text: string, headers: Record<string, string>, secret: string): boolean {
  try {
    new Webhook(secret).verify(text, headers);
    return true;
  } catch {
    return false;
  }
}
