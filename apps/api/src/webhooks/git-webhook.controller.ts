import { createHmac, timingSafeEqual } from 'node:crypto';
import { Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { RawBodyRequest } from '@nestjs/common';
import type { Request } from 'express';
import { Public } from '../auth/needs.decorator.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { ApiError } from '../errors/api-error.js';

/** Header with `sha256=<hex of HMAC-SHA-256 over the raw body>`; the one that GitHub and Gitea send is taken as well. */
const SIGNATURE_HEADERS = ['x-fairway-signature-256', 'x-hub-signature-256'];

/** Says that a repository has something new. Only a hint: nothing in the body is believed or fetched. */
@Controller('webhooks/git')
@Public()
export class GitWebhookController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Post('generic')
  @HttpCode(202)
  async generic(@Req() request: RawBodyRequest<Request>) {
    const secret = this.api.settings.FAIRWAY_GIT_WEBHOOK_SECRET;
    if (secret === undefined) {
      throw new ApiError(
        404,
        'webhook-not-configured',
        'no webhook secret is configured',
        'Set FAIRWAY_GIT_WEBHOOK_SECRET.',
      );
    }
    if (!signed(request, secret)) {
      throw new ApiError(
        401,
        'signature-invalid',
        'the signature does not fit the body',
        'Send X-Fairway-Signature-256: sha256=<hex HMAC-SHA-256 of the raw body with the shared secret>.',
      );
    }
    const repository = this.api.settings.FAIRWAY_REPOSITORY;
    await this.api.doorbell.ring(`repository/${repository}`);
    return { accepted: true };
  }
}

function signed(request: RawBodyRequest<Request>, secret: string): boolean {
  const header = SIGNATURE_HEADERS.map((name) => request.headers[name]).find(
    (value) => typeof value === 'string',
  );
  const given = /^sha256=([0-9a-f]{64})$/i.exec(typeof header === 'string' ? header : '')?.[1];
  if (given === undefined) return false;
  const expected = createHmac('sha256', secret)
    .update(request.rawBody ?? Buffer.alloc(0))
    .digest();
  return timingSafeEqual(Buffer.from(given, 'hex'), expected);
}
