import { Controller, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import type { RawBodyRequest } from '@nestjs/common';
import type { Request } from 'express';
import type { Settings } from '#platform';
import { Public } from '../auth/needs.decorator.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { ApiError, notFound } from '../errors/api-error.js';
import { ReplayWindow } from './replay-window.js';
import {
  BARE_OR_PREFIXED,
  PREFIXED,
  verifyHmac,
  verifyStandard,
  verifyToken,
  type Verify,
} from './verify-webhook.js';

interface Sender {
  /** All ways to prove oneself that are configured; none means that the sender is not. */
  verify(settings: Settings): readonly Verify[];
  /** Named in the answer that says how to configure or sign. */
  readonly setting: string;
  readonly hint: string;
  /** Copies are told apart; where bodies may be equal by right they are not. */
  readonly replays: boolean;
}

const given = <T>(value: string | undefined, make: (secret: string) => T): readonly T[] =>
  value === undefined ? [] : [make(value)];

/** Sources: each host's documentation of "securing webhooks" or "webhook events". */
const SENDERS: Readonly<Record<string, Sender>> = {
  generic: {
    setting: 'FAIRWAY_GIT_WEBHOOK_SECRET',
    hint: 'Send X-Fairway-Signature-256: sha256=<hex HMAC-SHA-256 of the raw body with the shared secret>.',
    replays: true,
    verify: (settings) =>
      given(settings.FAIRWAY_GIT_WEBHOOK_SECRET, (secret) =>
        verifyHmac(secret, ['x-fairway-signature-256', 'x-hub-signature-256'], PREFIXED),
      ),
  },
  github: {
    setting: 'FAIRWAY_GITHUB_WEBHOOK_SECRET',
    hint: 'GitHub sends X-Hub-Signature-256; the secret of the webhook must be the configured one.',
    replays: false,
    verify: (settings) =>
      given(settings.FAIRWAY_GITHUB_WEBHOOK_SECRET, (secret) =>
        verifyHmac(secret, ['x-hub-signature-256'], PREFIXED),
      ),
  },
  gitlab: {
    setting: 'FAIRWAY_GITLAB_WEBHOOK_TOKEN or FAIRWAY_GITLAB_WEBHOOK_SIGNING_SECRET',
    hint: 'GitLab sends X-Gitlab-Token, or webhook-signature with a signing secret.',
    replays: false,
    verify: (settings) => [
      ...given(settings.FAIRWAY_GITLAB_WEBHOOK_TOKEN, (token) => verifyToken(token, 'x-gitlab-token')),
      ...given(settings.FAIRWAY_GITLAB_WEBHOOK_SIGNING_SECRET, verifyStandard),
    ],
  },
  bitbucket: {
    setting: 'FAIRWAY_BITBUCKET_WEBHOOK_SECRET',
    hint: 'Bitbucket sends X-Hub-Signature: sha256=…; the secret of the webhook must be the configured one.',
    replays: false,
    verify: (settings) =>
      given(settings.FAIRWAY_BITBUCKET_WEBHOOK_SECRET, (secret) =>
        verifyHmac(secret, ['x-hub-signature'], PREFIXED),
      ),
  },
  gitea: {
    setting: 'FAIRWAY_GITEA_WEBHOOK_SECRET',
    hint: 'Gitea and Forgejo send X-Gitea-Signature; the secret of the webhook must be the configured one.',
    replays: false,
    verify: (settings) =>
      given(settings.FAIRWAY_GITEA_WEBHOOK_SECRET, (secret) =>
        verifyHmac(
          secret,
          ['x-gitea-signature', 'x-forgejo-signature', 'x-hub-signature-256'],
          BARE_OR_PREFIXED,
        ),
      ),
  },
};

/** Says that a repository has something new. Only a hint: nothing in the body is believed or fetched. */
@Controller('webhooks/git')
@Public()
export class GitWebhookController {
  private readonly replays = new ReplayWindow();

  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Post(':sender')
  @HttpCode(202)
  async receive(@Param('sender') name: string, @Req() request: RawBodyRequest<Request>) {
    const sender = Object.hasOwn(SENDERS, name) ? SENDERS[name] : undefined;
    if (!sender) throw notFound(`webhook sender ${name}`);
    const ways = sender.verify(this.api.settings);
    if (ways.length === 0) {
      throw new ApiError(
        404,
        'webhook-not-configured',
        'no webhook secret is configured',
        `Set ${sender.setting}.`,
      );
    }
    const body = request.rawBody ?? Buffer.alloc(0);
    if (!ways.some((verify) => verify({ headers: request.headers, body })))
      throw new ApiError(401, 'signature-invalid', 'the signature does not fit the body', sender.hint);
    const isNew = sender.replays || this.replays.isNew(name, body, this.api.clock.now());
    // Rings of one key are coalesced: a burst of pushes is one fetch.
    if (isNew) await this.api.doorbell.ring(`repository/${this.api.settings.FAIRWAY_REPOSITORY}`);
    return isNew ? { accepted: true } : { accepted: true, repeated: true };
  }
}
