import type { ConfigProblem } from '#fleet';
import { parseDuration } from '#kernel';
import { problem } from '../problems.js';
import { parseQuantity } from '../template/functions/quantity.js';
import { nearest } from '../validation/nearest.js';
import type { EffectiveItems, Layer, LayerValue } from './config-layers.js';

const TYPES = ['string', 'boolean', 'integer', 'number', 'quantity', 'duration'] as const;
type ItemType = (typeof TYPES)[number];

/** What `cluster/config.schema.json` says of one config item. */
interface ItemSchema {
  readonly type: ItemType;
  readonly description?: string;
  readonly default?: string;
  readonly enum?: readonly string[];
  readonly sensitive: boolean;
  readonly since?: string;
}

export interface ConfigSchema {
  readonly items: ReadonlyMap<string, ItemSchema>;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined;

function itemSchema(value: unknown): ItemSchema | string {
  if (!isRecord(value)) return 'must be an object';
  const type = (value['type'] ?? 'string') as ItemType;
  if (!TYPES.includes(type)) return `type must be one of ${TYPES.join(', ')}`;
  const choices = value['enum'];
  if (
    choices !== undefined &&
    (!Array.isArray(choices) || choices.some((one) => textOf(one) === undefined))
  ) {
    return 'enum must be a list of values';
  }
  const initial = textOf(value['default']);
  const description = textOf(value['description']);
  const since = textOf(value['since']);
  return {
    type,
    sensitive: value['sensitive'] === true,
    ...(initial !== undefined && { default: initial }),
    ...(description !== undefined && { description }),
    ...(since !== undefined && { since }),
    ...(choices !== undefined && { enum: (choices as unknown[]).map((one) => String(one)) }),
  };
}

/** Reads `config.schema.json`: {"properties": {"<key>": {type, description, default, enum, sensitive, since}}}. */
export function readSchema(
  file: string,
  text: string,
): { readonly schema?: ConfigSchema; readonly problems: readonly ConfigProblem[] } {
  const fail = (message: string, field?: string): { problems: readonly ConfigProblem[] } => ({
    problems: [problem('invalid-schema', message, { file, line: 1, field })],
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    return fail(`not JSON: ${(error as Error).message}`);
  }
  const properties = isRecord(parsed) ? parsed['properties'] : undefined;
  if (!isRecord(properties)) return fail('must be an object with "properties", one for each config item');
  const items = new Map<string, ItemSchema>();
  const problems: ConfigProblem[] = [];
  for (const [key, value] of Object.entries(properties)) {
    const item = itemSchema(value);
    if (typeof item === 'string') problems.push(...fail(`${key}: ${item}`, `properties.${key}`).problems);
    else items.set(key, item);
  }
  return { schema: { items }, problems };
}

/** Defaults that the schema itself gives: the lowest layer. */
export const schemaLayer = (file: string, schema: ConfigSchema): Layer => ({
  name: 'schema',
  values: new Map(
    [...schema.items].flatMap(([key, { default: value }]): [string, LayerValue][] =>
      value === undefined ? [] : [[key, { layer: 'schema', value, file }]],
    ),
  ),
});

const isQuantity = (text: string): boolean => {
  try {
    parseQuantity(text);
    return true;
  } catch {
    return false;
  }
};

const FITS: Readonly<Record<ItemType, (text: string) => boolean>> = {
  string: () => true,
  boolean: (text) => text === 'true' || text === 'false',
  integer: (text) => /^-?\d+$/.test(text),
  number: (text) => /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text),
  quantity: isQuantity,
  duration: (text) => parseDuration(text) !== undefined,
};

/** Unknown keys (with the nearest known one) and values of the wrong type. The value itself is not repeated: it may be secret. */
export function checkItems(
  schema: ConfigSchema,
  items: EffectiveItems,
  recordFile: string,
): readonly ConfigProblem[] {
  const found: ConfigProblem[] = [];
  for (const [key, item] of items) {
    const winner = item.layers.at(-1);
    if (!winner || winner.layer === 'inputs') continue;
    const place = { file: winner.file ?? recordFile, line: winner.line, field: key };
    const known = schema.items.get(key);
    if (!known) {
      const near = nearest(key, [...schema.items.keys()]);
      found.push(
        problem('unknown-config-item', `unknown config item ${key}`, place, near && `Did you mean ${near}?`),
      );
    } else if (!FITS[known.type](item.value)) {
      found.push(
        problem(
          'config-item-type',
          `config item ${key} is not of type ${known.type}`,
          place,
          known.description,
        ),
      );
    } else if (known.enum && !known.enum.includes(item.value)) {
      found.push(
        problem('config-item-type', `config item ${key} must be one of ${known.enum.join(', ')}`, place),
      );
    }
  }
  return found;
}
