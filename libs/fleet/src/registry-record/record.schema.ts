import { z } from 'zod';
import { PATTERNS, RESERVED } from './patterns.js';
import { reportedStatusSchema } from './reported-status.js';

/** The one character that PostgreSQL cannot keep. */
const storable = (schema: z.ZodString) =>
  schema.refine((value) => !value.includes('\0'), { error: 'must not hold NUL' });
const text = storable(z.string({ error: 'must be a string' }).min(1, 'must not be empty').max(1_024));
const matching = (pattern: RegExp) =>
  z.string({ error: 'must be a string' }).max(1_024).regex(pattern, `must match ${pattern.source}`);
const integer = z.number({ error: 'must be an integer' }).int('must be an integer');
const INT32 = 2_147_483_647;
const criticality = integer.min(0).max(INT32);
/** Kubernetes is built for clusters of up to 5,000 nodes (kubernetes.io/docs/setup/best-practices/cluster-large). */
const MOST_NODES = 5_000;
const size = integer
  .min(0)
  .max(MOST_NODES, `must be at most ${MOST_NODES}: Kubernetes’ limit of nodes in a cluster`);

/** Keys of items in a body are not held to the pattern of the path: existing registries hold others, dots included. */
const itemKey = storable(z.string().max(256));
const itemValue = storable(z.string({ error: 'must be a string' }).max(262_144));
const noneReserved = (items: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(items).every((key) => !RESERVED.has(key));
const NOT_RESERVED = { error: 'a key is reserved' };
const configItems = z.record(itemKey, itemValue).refine(noneReserved, NOT_RESERVED);
/** Items are merged into the present ones; null takes one away. Nothing that a client did not name is lost. */
const itemChanges = z.record(itemKey, itemValue.nullable()).refine(noneReserved, NOT_RESERVED);

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
  min_size: size,
  max_size: size,
  config_items: configItems.optional(),
};

const sizesFit = (pool: { min_size?: number | undefined; max_size?: number | undefined }): boolean =>
  pool.min_size === undefined || pool.max_size === undefined || pool.min_size <= pool.max_size;
const SIZES = { error: 'min_size is greater than max_size', path: ['min_size'] };

export const poolSchema = z.object(poolShape).refine(sizesFit, SIZES);
export const poolUpdateSchema = z
  .object({ ...poolShape, config_items: itemChanges.optional() })
  .partial()
  .refine(sizesFit, SIZES);

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
  status: reportedStatusSchema.optional(),
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

export const clusterUpdateSchema = z
  .object({
    ...clusterShape,
    config_items: itemChanges.optional(),
  })
  .partial();

export const configValueSchema = z.object({ value: itemValue });
