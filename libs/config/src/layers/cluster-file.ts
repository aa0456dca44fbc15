import type { ConfigProblem, NodePool } from '#fleet';
import { problem } from '../problems.js';
import type { YamlDocument } from '../render/documents.js';
import type { Layer, LayerValue } from './config-layers.js';

type Fields = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const own = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined;
const scalar = (value: unknown): string | undefined =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined;

export interface ClusterFile {
  readonly layer: Layer;
  readonly nodePools: readonly NodePool[];
  readonly problems: readonly ConfigProblem[];
}

/** A cluster's own file: `config_items` and `node_pools`, in the words of the registry's API. */
export function readClusterFile(file: string, document: YamlDocument | undefined): ClusterFile {
  const values = new Map<string, LayerValue>();
  const problems: ConfigProblem[] = [];
  const layer: Layer = { name: 'cluster-file', values };
  if (!document) return { layer, nodePools: [], problems };
  const { value, line } = document;
  if (!isRecord(value)) {
    problems.push(
      problem('cluster-file', 'the file must be a map with config_items and node_pools', { file, line }),
    );
    return { layer, nodePools: [], problems };
  }
  for (const key of Object.keys(value)) {
    if (!['config_items', 'node_pools', 'alias', 'id'].includes(key)) {
      problems.push(
        problem(
          'cluster-file',
          `unknown field ${key}`,
          { file, line: document.lineOfKey(key), field: key },
          'Known: config_items, node_pools.',
        ),
      );
    }
  }
  const at = { file, line: document.lineOfKey('config_items') };
  for (const [key, text] of Object.entries(items(own(value, 'config_items'), at, problems, 'config_items'))) {
    values.set(key, { layer: 'cluster-file', value: text, ...at });
  }
  const pools = own(value, 'node_pools') ?? [];
  const poolsAt = { file, line: document.lineOfKey('node_pools') };
  if (!Array.isArray(pools)) {
    problems.push(problem('cluster-file', 'node_pools must be a list', { ...poolsAt, field: 'node_pools' }));
    return { layer, nodePools: [], problems };
  }
  const nodePools = pools.flatMap(
    (pool, index) => readPool(pool, `node_pools[${index}]`, poolsAt, problems) ?? [],
  );
  return { layer, nodePools, problems };
}

interface At {
  readonly file: string;
  readonly line: number;
}

function items(
  value: unknown,
  at: At,
  problems: ConfigProblem[],
  field: string,
): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value)) {
    problems.push(problem('cluster-file', `${field} must be a map`, { ...at, field }));
    return {};
  }
  const entries: [string, string][] = [];
  for (const [key, member] of Object.entries(value)) {
    const text = member === null ? '' : scalar(member);
    if (text === undefined) {
      problems.push(
        problem(
          'cluster-file',
          `${field}.${key} must be text`,
          { ...at, field: `${field}.${key}` },
          'Quote it.',
        ),
      );
    } else entries.push([key, text]);
  }
  return Object.fromEntries(entries);
}

function readPool(value: unknown, field: string, at: At, problems: ConfigProblem[]): NodePool | undefined {
  const complain = (what: string): undefined => {
    problems.push(problem('cluster-file', what, { ...at, field }));
    return undefined;
  };
  if (!isRecord(value)) return complain(`${field} must be a map`);
  const name = scalar(own(value, 'name'));
  const profile = scalar(own(value, 'profile'));
  const types =
    own(value, 'instance_types') ??
    (own(value, 'instance_type') === undefined ? [] : [own(value, 'instance_type')]);
  const min = own(value, 'min_size');
  const max = own(value, 'max_size');
  if (name === undefined || profile === undefined) return complain(`${field} needs a name and a profile`);
  if (!Array.isArray(types) || types.length === 0 || types.some((type) => typeof type !== 'string')) {
    return complain(`${field}.instance_types must be a list of instance types`);
  }
  if (!isSize(min) || !isSize(max) || min > max)
    return complain(`${field} needs min_size ≤ max_size, whole and not negative`);
  return {
    name,
    profile,
    instanceTypes: types as string[],
    discountStrategy: scalar(own(value, 'discount_strategy')) ?? 'none',
    minSize: min,
    maxSize: max,
    configItems: items(own(value, 'config_items'), at, problems, `${field}.config_items`),
  };
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** The record's pools lie over those of the file, by name; what only the file names is added. */
export function mergePools(
  fromFile: readonly NodePool[],
  fromRecord: readonly NodePool[],
): readonly NodePool[] {
  const inFile = new Map(fromFile.map((pool) => [pool.name, pool]));
  const inRecord = new Set(fromRecord.map((pool) => pool.name));
  return [
    ...fromRecord.map((pool) => {
      const below = inFile.get(pool.name);
      return below
        ? {
            ...pool,
            configItems: Object.fromEntries([
              ...Object.entries(below.configItems),
              ...Object.entries(pool.configItems),
            ]),
          }
        : pool;
    }),
    ...fromFile.filter((pool) => !inRecord.has(pool.name)),
  ];
}
