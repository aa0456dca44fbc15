import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { parseDuration, toIso } from '#kernel';
import { NeedsRole } from '../auth/needs.decorator.js';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { issueToken } from '../auth/tokens.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { notFound } from '../errors/api-error.js';
import { parseBody } from '../registry/parse-body.js';

const tokenSchema = z.object({
  name: z.string({ error: 'name the owner' }).min(1).max(100),
  role: z.enum(['viewer', 'operator', 'approver', 'admin']),
  expires_in: z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'is no duration; write for example 90d')
    .optional(),
});

/** API tokens; the secret is in the answer to its creation and nowhere else. */
@Controller('api/v1/tokens')
@NeedsRole('admin')
export class TokensController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list() {
    const tokens = await this.api.tokens.list();
    const time = (instant: number | undefined) => (instant === undefined ? undefined : toIso(instant));
    return {
      items: tokens.map((token) => ({
        id: token.id,
        name: token.name,
        role: token.role,
        created_at: toIso(token.createdAt),
        expires_at: time(token.expiresAt),
        last_used_at: time(token.lastUsedAt),
        revoked_at: time(token.revokedAt),
      })),
    };
  }

  @Post()
  @HttpCode(201)
  async create(@Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const { name, role, expires_in: expiresIn } = parseBody(tokenSchema, body);
    const lifetime = expiresIn === undefined ? undefined : parseDuration(expiresIn);
    const issued = await issueToken(this.api, {
      name,
      role,
      ...(lifetime !== undefined && { lifetime }),
    });
    await this.api.audit.append({
      at: this.api.clock.now(),
      actor: actorOf(request),
      action: 'token.create',
      subject: `token/${issued.id}`,
      data: { name, role },
    });
    return { id: issued.id, name, role, token: issued.token };
  }

  @Delete(':token')
  @HttpCode(204)
  async revoke(@Param('token') id: string, @Req() request: AuthenticatedRequest): Promise<void> {
    const now = this.api.clock.now();
    if (!(await this.api.tokens.revoke(id, now))) throw notFound(`token ${id}`);
    await this.api.audit.append({
      at: now,
      actor: actorOf(request),
      action: 'token.revoke',
      subject: `token/${id}`,
      data: {},
    });
  }
}
