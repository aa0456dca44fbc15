import { Controller, Get, Inject, Query } from '@nestjs/common';
import { z } from 'zod';
import { toIso } from '#kernel';
import { API, type ApiRuntime } from '../api-runtime.js';
import { parseBody } from '../registry/parse-body.js';

const querySchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  before: z.coerce.number().int().positive().optional(),
});

/** Who changed what, newest first; entries are never changed. */
@Controller('api/v1/audit')
export class AuditController {
  constructor(@Inject(API) private readonly api: ApiRuntime) {}

  @Get()
  async list(@Query() query: unknown) {
    const { limit, before } = parseBody(querySchema, query);
    const entries = await this.api.audit.list(limit, before);
    return { items: entries.map((entry) => ({ ...entry, at: toIso(entry.at) })) };
  }
}
