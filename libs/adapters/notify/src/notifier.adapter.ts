import type { Clock, Duration } from '#kernel';
import { hours, seconds, systemClock } from '#kernel';
import type { Delivery, DeliveryResult, NotifierPort } from '#ports';
import { systemResolve, type Resolve } from './address-guard.js';
import { post, type SenderOptions, type SendResult } from './http-sender.js';
import { checkRoutes, type NotifyRoute } from './notify-route.js';
import { retryDelay } from './retry-schedule.js';
import { slackMessage } from './slack-message.js';
import { webhookBody, webhookHeaders } from './webhook-message.js';

export interface NotifierOptions {
  /** Lets receivers be on private and loopback addresses, there also by plain http. Never metadata services. */
  readonly allowPrivate?: boolean;
  readonly clock?: Clock;
  readonly timeout?: Duration;
  readonly resolve?: Resolve;
}

const DEFAULT_TIMEOUT = seconds(10);
const MAX_RESPONSE_BYTES = 64 * 1024;
/** No receiver may put us off for longer. */
const MAX_RETRY_AFTER = hours(24);

/** Refuses routes that cannot work with `notify-route-invalid`, at once. */
export function createNotifier(routes: readonly NotifyRoute[], options: NotifierOptions = {}): NotifierPort {
  checkRoutes(routes);
  return new Notifier(new Map(routes.map((route) => [route.name, route])), options);
}

class Notifier implements NotifierPort {
  private readonly clock: Clock;
  private readonly sender: SenderOptions;

  constructor(
    private readonly routes: ReadonlyMap<string, NotifyRoute>,
    options: NotifierOptions,
  ) {
    this.clock = options.clock ?? systemClock;
    this.sender = {
      allowPrivate: options.allowPrivate ?? false,
      timeout: options.timeout ?? DEFAULT_TIMEOUT,
      maxResponseBytes: MAX_RESPONSE_BYTES,
      resolve: options.resolve ?? systemResolve,
    };
  }

  async deliver(delivery: Delivery): Promise<DeliveryResult> {
    const route = this.routes.get(delivery.route);
    if (route === undefined)
      return { kind: 'dead', reason: `the route "${delivery.route}" is no longer configured` };
    const { headers, body } = this.messageFor(route, delivery);
    const common = { 'content-type': 'application/json', 'user-agent': 'Fairway' };
    const sent = await post(route.url, { ...common, ...headers }, body, this.sender);
    return this.resultOf(route, delivery.attempt, sent);
  }

  private messageFor(
    route: NotifyRoute,
    { id, event }: Delivery,
  ): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
    switch (route.kind) {
      case 'slack-webhook':
        return { headers: {}, body: JSON.stringify(slackMessage(event)) };
      case 'standard-webhook': {
        const body = webhookBody(event);
        return { headers: webhookHeaders(id, this.clock.now(), body, route.secrets), body };
      }
    }
  }

  private resultOf(route: NotifyRoute, attempt: number, sent: SendResult): DeliveryResult {
    if (sent.kind !== 'answered') return again(attempt, sent.reason);
    const { status } = sent;
    const said = sent.body === '' ? `HTTP ${status}` : `HTTP ${status}: ${sent.body}`;
    if (status >= 200 && status < 300) return { kind: 'delivered', status };
    if (status === 410) return { kind: 'disable', reason: said };
    // Slack never takes again what it once called malformed.
    if (route.kind === 'slack-webhook' && status === 400) return { kind: 'dead', reason: said };
    if (status >= 300 && status < 400) return again(attempt, `HTTP ${status}: redirects are not followed`);
    return again(attempt, said, retryAfterOf(sent.retryAfter, this.clock.now()));
  }
}

/** Later, by the schedule, or later still where the receiver asks for it; not at all after the last attempt. */
function again(attempt: number, reason: string, asked: Duration = 0): DeliveryResult {
  const wait = retryDelay(attempt);
  if (wait === undefined) return { kind: 'dead', reason: `given up after ${attempt} attempts: ${reason}` };
  return { kind: 'retry', reason, after: Math.max(wait, asked) };
}

/** Seconds or a date. Source: RFC 9110, 10.2.3. */
function retryAfterOf(header: string | undefined, now: number): Duration {
  if (header === undefined) return 0;
  const wait = /^\d+$/.test(header.trim()) ? seconds(Number(header)) : Date.parse(header) - now;
  return Number.isFinite(wait) ? Math.min(MAX_RETRY_AFTER, Math.max(0, wait)) : 0;
}
