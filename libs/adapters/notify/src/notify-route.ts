import { Webhook } from 'standardwebhooks';
import { fail } from '#kernel';

export interface SlackBotRoute {
  readonly name: string;
  readonly kind: 'slack-bot';
  /** Of the Web API, `https://slack.com/api`. */
  readonly url: string;
  /** `xoxb-…` */
  readonly token: string;
  /** Release channel → id of the Slack channel; `*` for all others. */
  readonly channels: Readonly<Record<string, string>>;
}

export interface CommitStatusRoute {
  readonly name: string;
  readonly kind: 'github-status' | 'gitlab-status';
  /** Of the REST API, `https://api.github.com` or `https://gitlab.com/api/v4`. */
  readonly url: string;
  /** `owner/name`, or the path of the project. */
  readonly repository: string;
  readonly token: string;
  /** Where the link beside the status leads. */
  readonly targetUrl?: string;
}

/** A receiver of events. The address of a Slack webhook is a secret in itself: no address is ever shown whole. */
export type NotifyRoute =
  | { readonly name: string; readonly kind: 'slack-webhook'; readonly url: string }
  | SlackBotRoute
  | CommitStatusRoute
  | {
      readonly name: string;
      readonly kind: 'standard-webhook';
      readonly url: string;
      /** `whsec_…`; the first is the current one, a second is still valid while receivers rotate. */
      readonly secrets: readonly string[];
    };

const MAX_SECRETS = 2;
/** Source: Standard Webhooks, "Signature scheme": 24 to 64 bytes. */
const KEY_BYTES = { min: 24, max: 64 };

/** Refuses routes that could never work, at the start of the process. Messages hold no address and no secret. */
export function checkRoutes(routes: readonly NotifyRoute[]): void {
  const names = new Set<string>();
  for (const route of routes) {
    if (names.has(route.name)) refuse(route, 'is there twice');
    names.add(route.name);
    if (!URL.canParse(route.url)) refuse(route, 'has no valid URL');
    const url = new URL(route.url);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') refuse(route, 'must have an https address');
    if (url.username !== '' || url.password !== '')
      refuse(route, 'must not have user or password in its address');
    if (route.kind === 'standard-webhook') checkSecrets(route, route.secrets);
    if ('token' in route && !/^[\x21-\x7e]+$/.test(route.token)) refuse(route, 'has no usable token');
    if (route.kind === 'slack-bot' && Object.keys(route.channels).length === 0)
      refuse(route, 'names no Slack channel');
    if (route.kind === 'github-status' && !/^[^/\s]+\/[^/\s]+$/.test(route.repository))
      refuse(route, 'must name its repository as owner/name');
    if (route.kind === 'gitlab-status' && route.repository === '') refuse(route, 'must name its project');
  }
}

function checkSecrets(route: NotifyRoute, secrets: readonly string[]): void {
  if (secrets.length === 0 || secrets.length > MAX_SECRETS)
    refuse(route, 'needs one secret, or two while they are rotated');
  for (const secret of secrets) {
    const bytes = Buffer.from(secret.replace(/^whsec_/, ''), 'base64').length;
    if (!isUsable(secret) || bytes < KEY_BYTES.min || bytes > KEY_BYTES.max) {
      refuse(route, 'has a secret that is not whsec_ and the base64 of 24 to 64 bytes');
    }
  }
}

function isUsable(secret: string): boolean {
  try {
    return new Webhook(secret) instanceof Webhook;
  } catch {
    return false;
  }
}

const refuse = (route: NotifyRoute, why: string): never =>
  fail({
    class: 'invalid',
    code: 'notify-route-invalid',
    message: `the notification route "${route.name}" ${why}`,
    hint: 'See docs/configuration.md. A webhook secret is made by: echo "whsec_$(head -c 32 /dev/urandom | base64)"',
  });
