import { z } from 'zod';
import { accountLifecycle, clusterLifecycle } from '#fleet';

const queryInteger = z
  .string()
  .regex(/^-?\d{1,9}$/, 'must be an integer of 32 bits')
  .transform(Number)
  .optional();
const queryText = z.string({ error: 'must be given once' }).optional();

export const accountQuerySchema = z.object({
  criticality_level: queryInteger,
  environment: queryText,
  external_id: queryText,
  lifecycle_status: accountLifecycle.optional(),
  name: queryText,
  owner: queryText,
  type: queryText,
  cost_center: queryText,
});

export const verboseSchema = z.object({
  /** `True`, too: what Python clients make of a boolean. */
  verbose: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['true', 'false'], { error: 'must be true or false' }))
    .default('true')
    .transform((value) => value === 'true'),
});

export const clusterQuerySchema = verboseSchema.extend({
  alias: queryText,
  api_server_url: queryText,
  channel: queryText,
  criticality_level: queryInteger,
  environment: queryText,
  infrastructure_account: queryText,
  lifecycle_status: clusterLifecycle.optional(),
  local_id: queryText,
  provider: queryText,
  region: queryText,
  cost_center: queryText,
});
