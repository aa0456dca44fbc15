import type { Clock, Duration } from '#kernel';
import { hours, seconds, systemClock } from '#kernel';
import { retryDelay } from '#fleet';
import type { Delivery, DeliveryResult, NotificationThreads, NotifierPort } from '#ports';
import { systemResolve, type Resolve } from './address-guard.js';
import { commitStatusOf, statusRequest } from './commit-status.js';
import { post, type SenderOptions, type SendResult } from './http-sender.js';
import { checkRoutes, type CommitStatusRoute, type NotifyRoute, type SlackBotRoute } from './notify-route.js';
import { deliverToSlack, digestToSlack, type SlackCall } from './slack-bot.js';
import { slackDigest } from './slack-digest.js';
import { slackMessage } from './slack-message.js';
import { webhookBody, webhookHeaders } from './webhook-message.js';

export interface NotifierOptions {
  /** Lets receivers be on private and loopback addresses, there also by plain http. Never metadata services. */
  readonly allowPrivate?: boolean;
  readonly clock?: Clock;
  readonly timeout?: Duration;
  readonly resolve?: Resolve;
  /** Where Slack's parent messages are remembered; without it they are forgotten with the process. */
  readonly threads?: NotificationThreads;
}

const DEFAULT_TIMEOUT = seconds(10);
const MAX_RESPONSE_BYTES = 64 * 1024;
const COMMON_HEADERS = { 'content-type': 'application/json', 'user-agent': 'Fairway' };
/** No receiver may put us off for longer. */
const MAX_RETRY_AFTER = hours(24);

/** Refuses routes that cannot work with `notify-route-invalid`, at once. */
export function createNotifier(routes: readonly NotifyRoute[], options: NotifierOptions = {}): NotifierPort {
  checkRoutes(routes);
  return new Notifier(new Map(routes.map((route) => [route.name, route])), options);
}

class Notifier implements NotifierPort {
  private readonly clock: Clock;
  private readonly threads: NotificationThreads;
  private readonly sender: SenderOptions;

  constructor(
    private readonly routes: ReadonlyMap<string, NotifyRoute>,
    options: NotifierOptions,
  ) {
    this.clock = options.clock ?? systemClock;
    this.threads = options.threads ?? forgetfulThreads();
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
    switch (route.kind) {
      case 'slack-bot':
        return this.toSlack(route, delivery);
      case 'github-status':
      case 'gitlab-status':
        return this.toCommit(route, delivery);
      case 'slack-webhook':
        return this.send(route, delivery, route.url, {}, JSON.stringify(slackMessage(delivery.event)));
      case 'standard-webhook': {
        const body = webhookBody(delivery.event);
        const headers = webhookHeaders(delivery.id, this.clock.now(), body, route.secrets);
        return this.send(route, delivery, route.url, headers, body);
      }
    }
  }

  private async send(
    route: NotifyRoute,
    { attempt }: Delivery,
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ): Promise<DeliveryResult> {
    return this.resultOf(
      route,
      attempt,
      await post(url, { ...COMMON_HEADERS, ...headers }, body, this.sender),
    );
  }

  async deliverDigest(deliveries: readonly Delivery[]): Promise<DeliveryResult> {
    const [first] = deliveries;
    if (first === undefined) return { kind: 'delivered', status: 204 };
    const route = this.routes.get(first.route);
    // The retry schedule of the one that was tried most often: a receiver that is away is not asked more for it.
    const attempt = Math.max(...deliveries.map((one) => one.attempt));
    const events = deliveries.map((one) => one.event);
    if (route?.kind === 'slack-webhook')
      return this.send(route, { ...first, attempt }, route.url, {}, JSON.stringify(slackDigest(events)));
    if (route?.kind === 'slack-bot')
      return this.bySlack(route, attempt, (call) =>
        digestToSlack(call, route, events, this.threads, this.clock.now()),
      );
    return { kind: 'dead', reason: `the route "${first.route}" takes no digests` };
  }

  private toSlack(route: SlackBotRoute, { event, attempt }: Delivery): Promise<DeliveryResult> {
    return this.bySlack(route, attempt, (call) =>
      deliverToSlack(call, route, event, this.threads, this.clock.now()),
    );
  }

  private async bySlack(
    route: SlackBotRoute,
    attempt: number,
    tell: (call: SlackCall) => ReturnType<typeof deliverToSlack>,
  ): Promise<DeliveryResult> {
    const headers = {
      ...COMMON_HEADERS,
      'content-type': 'application/json; charset=utf-8',
      authorization: `Bearer ${route.token}`,
    };
    const sender = { ...this.sender, keepCharacters: MAX_RESPONSE_BYTES };
    const base = route.url.replace(/\/+$/, '');
    const result = await tell((method, body) =>
      post(`${base}/${method}`, headers, JSON.stringify(body), sender),
    );
    if (!('ok' in result)) return result;
    const { sent, error } = result;
    if (sent.kind === 'answered' && sent.status === 200) {
      return again(attempt, `Slack: ${error === '' ? 'an answer that is none' : error}`);
    }
    const short = sent.kind === 'answered' ? { ...sent, body: sent.body.slice(0, 200) } : sent;
    return this.resultOf(route, attempt, short);
  }

  private async toCommit(route: CommitStatusRoute, delivery: Delivery): Promise<DeliveryResult> {
    const status = commitStatusOf(delivery.event);
    if (status === undefined) return { kind: 'delivered', status: 204 };
    const { url, headers, body } = statusRequest(route, status);
    const sent = await post(url, { ...COMMON_HEADERS, ...headers }, body, this.sender);
    if (sent.kind === 'answered') {
      // GitLab calls a state that is there already a transition that cannot be made.
      if (route.kind === 'gitlab-status' && sent.status === 400 && /cannot transition/i.test(sent.body))
        return { kind: 'delivered', status: sent.status };
      // The commit is not known there, or has as many statuses as it may have.
      if (sent.status === 422 || sent.status === 400)
        return { kind: 'dead', reason: `HTTP ${sent.status}: ${sent.body}` };
    }
    return this.resultOf(route, delivery.attempt, sent);
  }

  private resultOf(route: NotifyRoute, attempt: number, sent: SendResult): DeliveryResult {
    if (sent.kind !== 'answered') return again(attempt, sent.reason);
    const { status } = sent;
    const said = sent.body === '' ? `HTTP ${status}` : `HTTP ${status}: ${sent.body}`;
    if (status >= 200 && status < 300) return { kind: 'delivered', status };
    // Of an API of many repositories a 410 says something about one of them, not about the receiver.
    if (status === 410 && (route.kind === 'slack-webhook' || route.kind === 'standard-webhook'))
      return { kind: 'disable', reason: said };
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

function forgetfulThreads(): NotificationThreads {
  const known = new Map<string, Readonly<Record<string, unknown>>>();
  return {
    recall: (route, key) => Promise.resolve(known.get(`${route} ${key}`)),
    remember: (route, key, reference) => {
      if (known.size > 10_000) known.clear();
      known.set(`${route} ${key}`, reference);
      return Promise.resolve();
    },
  };
}
