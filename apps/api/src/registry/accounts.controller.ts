import { Body, Controller, Get, HttpCode, Inject, Param, Patch, Post, Query, Req } from '@nestjs/common';
import {
  PATTERNS,
  accountSchema,
  accountUpdateSchema,
  decodeAccount,
  decodeAccountUpdate,
  encodeAccount,
} from '#fleet';
import { actorOf, type AuthenticatedRequest } from '../auth/token.guard.js';
import { API, type ApiRuntime } from '../api-runtime.js';
import { badRequest, notFound } from '../errors/api-error.js';
import { checkPath, parseBody, parsePatch } from './parse-body.js';
import { accountQuerySchema } from './query.schemas.js';

/** `/infrastructure-accounts` of the registry contract. */
@Controller('infrastructure-accounts')
export class AccountsController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list(@Query() query: unknown) {
    const filter = parseBody(accountQuerySchema, query);
    const accounts = await this.api.registry.listAccounts({
      ...(filter.criticality_level !== undefined && { criticalityLevel: filter.criticality_level }),
      ...(filter.environment !== undefined && { environment: filter.environment }),
      ...(filter.external_id !== undefined && { externalId: filter.external_id }),
      ...(filter.lifecycle_status !== undefined && { lifecycleStatus: filter.lifecycle_status }),
      ...(filter.name !== undefined && { name: filter.name }),
      ...(filter.owner !== undefined && { owner: filter.owner }),
      ...(filter.type !== undefined && { type: filter.type }),
      ...(filter.cost_center !== undefined && { costCenter: filter.cost_center }),
    });
    return { items: accounts.map(encodeAccount) };
  }

  @Post()
  @HttpCode(201)
  async create(@Body() body: unknown, @Req() request: AuthenticatedRequest) {
    const account = decodeAccount(parseBody(accountSchema, body));
    return encodeAccount(await this.api.registry.createAccount(account, { actor: actorOf(request) }));
  }

  @Get(':account')
  async get(@Param('account') id: string) {
    const account = await this.api.registry.getAccount(checkPath('account_id', id, PATTERNS.id));
    if (!account) throw notFound(`infrastructure account ${id}`);
    return encodeAccount(account);
  }

  @Patch(':account')
  async update(@Param('account') id: string, @Body() body: unknown, @Req() request: AuthenticatedRequest) {
    checkPath('account_id', id, PATTERNS.id);
    const update = parsePatch(accountUpdateSchema, body);
    if (update.id !== undefined && update.id !== id)
      throw badRequest([{ field: 'id', message: 'an id never changes' }]);
    const patch = decodeAccountUpdate(update);
    return encodeAccount(await this.api.registry.updateAccount(id, patch, { actor: actorOf(request) }));
  }
}
