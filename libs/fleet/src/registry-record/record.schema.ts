import { z } from 'zod';
import { PATTERNS, RESERVED } from './patterns.js';

const text = z.string({ error: 'must be a string' }).min(1, 'must not be empty').max(1_024);
const matching = (pattern: RegExp) => text.regex(pattern, `must match ${pattern.source}`);
const integer = z.number({ error: 'must be an integer' }).int('must be an integer');
const criticality = integer.min(0).max(2_147_483_647);

/** Keys of items in a body are not held to the pattern of the path: existing registries hold others, dots included. */
const configItems = z
  .record(z.string().max(256), z.string({ error: 'config item values are strings' }))
  .refine((items) => Object.keys(items).every((key) => !RESERVED.has(key)), { error: 'a key is reserved' });

export const accountLifecycle = z.enum(['requested', 'creating', 'ready', 'decommissioned']);
export const clusterLifecycle = z.enum([
  'requested',
  'creating',
  'ready',
  'decommission-requested',
  'decommissioned',
]);

export const accountSchema = z.object({
  id: matching(PATTERNS.id),
  type: text,
  name: text,
  owner: text,
  cost_center: text,
  environment: text,
  criticality_level: criticality,
  external_id: text,
  lifecycle_status: accountLifecycle,
});
export const accountUpdateSchema = accountSchema.partial();

const poolShape = {
  name: matching(PATTERNS.poolName),
  profile: text,
  instance_types: z
    .array(text)
    .min(1, 'must name at least one instance type')
    .refine((types) => new Set(types).size === types.length, { error: 'must not repeat an instance type' }),
  discount_strategy: text,
  min_size: integer.min(0),
  max_size: integer.min(0),
  config_items: configItems.optional(),
};

const sizesFit = (pool: { min_size?: number | undefined; max_size?: number | undefined }): boolean =>
  pool.min_size === undefined || pool.max_size === undefined || pool.min_size <= pool.max_size;
const SIZES = { error: 'min_size is greater than max_size', path: ['min_size'] };

export const poolSchema = z.object(poolShape).refine(sizesFit, SIZES);
export const poolUpdateSchema = z.object(poolShape).partial().refine(sizesFit, SIZES);

const url = text.refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), {
  error: 'must be an http or https URL',
});

const clusterShape = {
  id: matching(PATTERNS.id),
  alias: matching(PATTERNS.alias),
  infrastructure_account: text,
  region: text,
  local_id: text,
  provider: text,
  api_server_url: url,
  channel: text,
  environment: text,
  criticality_level: criticality,
  lifecycle_status: clusterLifecycle,
  config_items: configItems.optional(),
};

export const clusterSchema = z.object({
  ...clusterShape,
  node_pools: z
    .array(poolSchema)
    .optional()
    .refine((pools) => new Set(pools?.map((pool) => pool.name)).size === (pools?.length ?? 0), {
      error: 'two node pools have the same name',
    }),
});

/** Items are merged into the present ones; null takes one away. Nothing that a client did not name is lost. */
export const clusterUpdateSchema = z
  .object({
    ...clusterShape,
    config_items: z.record(z.string().max(256), z.union([z.string(), z.null()])).optional(),
  })
  .partial();

export const configValueSchema = z.object({ value: z.string({ error: 'must be a string' }).max(262_144) });
