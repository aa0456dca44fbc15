import { isMap, isSeq, parseDocument, YAMLMap, YAMLSeq, type Document } from 'yaml';
import type { Cluster, NodePool } from '#fleet';
import { ENCRYPTED } from '../layers/config-layers.js';

/** What Fairway itself wrote into a cluster's file last; only that is ever taken out again. */
export interface Written {
  readonly keys: readonly string[];
  readonly pools: readonly string[];
}

export interface ClusterFileWish {
  readonly cluster: Cluster;
  /** Keys whose values are written only where they are cipher text. */
  readonly sensitive: ReadonlySet<string>;
  /** Of the last write-back, if there was one. */
  readonly before?: Written;
}

export interface ClusterFileResult {
  readonly text: string;
  readonly written: Written;
}

const HEAD = ' Kept by Fairway from the registry; what people add beside it stays.';

/**
 * `clusters/<alias>.yaml` with what the record says. Keys, pools and comments of people stay; what the record no longer
 * says is taken out if Fairway had put it in. Undefined: the file is there and is no map, so it is left alone.
 */
export function clusterFileText(
  existing: string | undefined,
  { cluster, sensitive, before }: ClusterFileWish,
): ClusterFileResult | undefined {
  const document = parseDocument(existing ?? '', { uniqueKeys: true });
  if (document.errors.length > 0) return undefined;
  if (document.contents === null) {
    document.contents = document.createNode({}) as unknown as typeof document.contents;
    document.commentBefore = HEAD;
  }
  if (!isMap(document.contents)) return undefined;
  document.set('id', cluster.id);
  const wanted = writable(cluster.configItems, sensitive);
  const keys = wanted.map(([key]) => key);
  const gone = (before?.keys ?? []).filter((key) => !keys.includes(key));
  if (!putItems(document, wanted, gone)) return undefined;
  if (!putPools(document, cluster.nodePools, sensitive, before)) return undefined;
  const written = { keys, pools: cluster.nodePools.map(({ name }) => name).sort() };
  return { text: document.toString({ lineWidth: 110 }), written };
}

type Entries = readonly (readonly [string, string])[];

/** In order of keys. */
const writable = (items: Readonly<Record<string, string>>, sensitive: ReadonlySet<string>): Entries =>
  Object.entries(items)
    .filter(([key, value]) => !sensitive.has(key) || value.startsWith(ENCRYPTED))
    .sort(([a], [b]) => (a < b ? -1 : 1));

/** False where something else than a map stands there. */
function putItems(on: Document | YAMLMap, items: Entries, gone: readonly string[] = []): boolean {
  const present: unknown = on.get('config_items');
  if (present !== undefined && present !== null && !isMap(present)) return false;
  for (const key of gone) if (isMap(present)) present.delete(key);
  if (items.length === 0) return true;
  const map = isMap(present) ? present : new YAMLMap();
  if (!isMap(present)) on.set('config_items', map);
  for (const [key, value] of items) if (map.get(key) !== value) map.set(key, value);
  return true;
}

function putPools(
  document: Document,
  pools: readonly NodePool[],
  sensitive: ReadonlySet<string>,
  before: Written | undefined,
): boolean {
  const present: unknown = document.get('node_pools');
  if (present !== undefined && present !== null && !isSeq(present)) return false;
  if (!isSeq(present) && pools.length === 0) return true;
  const list = isSeq(present) ? present : new YAMLSeq();
  if (!isSeq(present)) document.set('node_pools', list);
  const named = (name: string): YAMLMap | undefined =>
    list.items.find((one): one is YAMLMap => isMap(one) && one.get('name') === name);
  const gone = (before?.pools ?? []).filter((name) => !pools.some((pool) => pool.name === name));
  list.items = list.items.filter((one) => !isMap(one) || !gone.includes(String(one.get('name'))));
  for (const pool of pools) {
    const node = named(pool.name) ?? (document.createNode({ name: pool.name }) as YAMLMap);
    if (!list.items.includes(node)) list.add(node);
    if (!putPool(document, node, pool, sensitive)) return false;
  }
  return true;
}

/** The record's word on a pool; its items lie over those of people. */
function putPool(document: Document, node: YAMLMap, pool: NodePool, sensitive: ReadonlySet<string>): boolean {
  const fields = {
    profile: pool.profile,
    instance_types: pool.instanceTypes,
    discount_strategy: pool.discountStrategy,
    min_size: pool.minSize,
    max_size: pool.maxSize,
  };
  for (const [name, value] of Object.entries(fields)) {
    if (JSON.stringify(node.toJSON()[name]) !== JSON.stringify(value))
      node.set(name, document.createNode(value));
  }
  return putItems(node, writable(pool.configItems, sensitive));
}
