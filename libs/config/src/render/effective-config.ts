import { sha256Hex } from '#kernel';
import type { Cluster, ConfigProblem, ConfigTree, LockedInputs, NodePool } from '#fleet';
import { clusterValue } from '../model/cluster.model.js';
import { NODE_POOL } from '../model/node-pool.model.js';
import { PATHS } from '../layout/config-layout.js';
import { mergePools, readClusterFile } from '../layers/cluster-file.js';
import { checkItems, readSchema, schemaLayer } from '../layers/config-schema.js';
import type { ConfigSchema } from '../layers/config-schema.js';
import {
  breakProblems,
  ENCRYPTED,
  layerOf,
  layerProblems,
  mergeLayers,
  overrideLayer,
  recordPlace,
} from '../layers/config-layers.js';
import type { EffectiveItem, EffectiveItems, Layer } from '../layers/config-layers.js';
import { readDefaults } from '../layers/defaults.js';
import { problem } from '../problems.js';
import type { ProblemList, ProblemPlace } from '../problems.js';
import { readDocuments } from './documents.js';
import { nilPointer, NO_VALUES, rootData } from './file-renderer.js';
import type { FileRenderer, RenderCache, RenderedFile } from './file-renderer.js';
import { cachedPart, fileDigest } from './parts.js';
import { RENDERER_VERSION } from './render-input.js';
import type { RenderInput } from './render-input.js';
import { SourceMap } from './source-map.js';

/** The cluster as templates see it: every layer applied, secrets in clear. */
export interface EffectiveConfig {
  readonly cluster: Cluster;
  /** With provenance; values as written, encrypted ones still encrypted. */
  readonly provenance: EffectiveItems;
  /** In clear. */
  readonly items: Readonly<Record<string, string>>;
  /** Pools of the record and of the cluster's file; `configItems` are effective and in clear. */
  readonly pools: readonly NodePool[];
}

const plainFile = (tree: ConfigTree, file: string): RenderedFile => {
  const text = tree.files.get(file) ?? '';
  return { file, text, map: new SourceMap(text, text, [{ out: 0, source: 0, verbatim: true }]) };
};

/** Applies all layers, lowest first. Problems go to `problems`; what can be used is used. */
export function effectiveConfig(
  input: RenderInput,
  files: FileRenderer,
  problems: ProblemList,
  cache?: RenderCache,
): EffectiveConfig {
  const { tree, cluster, inputs } = input;
  const schema = loadSchema(tree, problems);
  const ownFile = loadClusterFile(tree, cluster, problems);
  const record = recordPlace(cluster);
  const layers: Layer[] = [
    ...(schema ? [schemaLayer(PATHS.schema, schema)] : []),
    cachedPart(
      cache,
      defaultsKey(input, ownFile.nodePools, files.duplicateKeys),
      { problems, generated: new Map() },
      (own) => defaultsLayer(input, files, ownFile.nodePools, own.problems),
    ),
    ownFile.layer,
    layerOf('registry', cluster.configItems),
    overrideLayer(input.overrides ?? []),
  ];
  const placeOf = ({ name }: Layer): ProblemPlace =>
    name === 'cluster-file' ? { file: PATHS.cluster(cluster.alias) } : record;
  for (const layer of layers) problems.add(...layerProblems(layer, placeOf(layer)));
  const isSensitive = (key: string): boolean => schema?.items.get(key)?.sensitive ?? false;
  const provenance = mergeLayers(layers, isSensitive);
  if (schema) problems.add(...checkItems(schema, provenance, record.file));
  const items = decryptAll(provenance, inputs, record.file, problems);
  const merged = mergePools(ownFile.nodePools, cluster.nodePools);
  problems.add(...factProblems(input, record), ...poolProblems(merged, record));
  const pools = merged.map((pool) => withItems(pool, items, inputs, record.file, problems));
  const located = locationItems(items, inputs);
  return {
    cluster: { ...cluster, nodePools: pools },
    provenance: withInputs(provenance, located),
    items: sortedItems([...Object.entries(located), ...Object.entries(items)]),
    pools,
  };
}

/** Facts that templates read beside config items. */
function factProblems({ account, inputs }: RenderInput, place: ProblemPlace): readonly ConfigProblem[] {
  const outputs = Object.entries(inputs.clusterStackOutputs ?? {});
  return [
    ...breakProblems('the owner', account?.owner ?? '', { ...place, field: 'owner' }),
    ...breakProblems('the account name', account?.name ?? '', { ...place, field: 'account_name' }),
    ...outputs.flatMap(([name, value]) =>
      breakProblems(`output ${name} of the cluster stack`, value, { ...place, field: `outputs.${name}` }),
    ),
  ];
}

const poolProblems = (pools: readonly NodePool[], place: ProblemPlace): readonly ConfigProblem[] =>
  pools.flatMap((pool, index) =>
    layerProblems(layerOf('registry', pool.configItems), { ...place, field: `node_pools[${index}]` }),
  );

/** In order of keys, so that equal configurations are equal text; of equal keys the last wins. */
const sortedItems = (entries: readonly (readonly [string, string])[]): Readonly<Record<string, string>> =>
  Object.fromEntries([...new Map(entries)].sort(([a], [b]) => (a < b ? -1 : 1)));

function loadSchema(tree: ConfigTree, problems: ProblemList): ConfigSchema | undefined {
  const text = tree.files.get(PATHS.schema);
  if (text === undefined) return undefined;
  const read = readSchema(PATHS.schema, text);
  problems.add(...read.problems);
  return read.schema;
}

function loadClusterFile(
  tree: ConfigTree,
  cluster: Cluster,
  problems: ProblemList,
): ReturnType<typeof readClusterFile> {
  const file = PATHS.cluster(cluster.alias);
  if (!tree.files.has(file)) return readClusterFile(file, undefined);
  const { documents, problems: faults } = readDocuments(plainFile(tree, file));
  const read = readClusterFile(file, documents[0]);
  problems.add(...faults, ...read.problems);
  return read;
}

const defaultsKey = (
  input: RenderInput,
  poolsOfFile: readonly NodePool[],
  duplicateKeys: FileRenderer['duplicateKeys'],
): string =>
  `defaults ${sha256Hex(
    JSON.stringify([
      RENDERER_VERSION,
      fileDigest(input.tree, PATHS.defaults),
      { ...input.cluster, recordVersion: 0, configItems: {} },
      poolsOfFile,
      input.account ?? null,
      (input.accountClusters ?? []).map((one) => ({ ...one, recordVersion: 0 })),
      input.inputs.digest,
      duplicateKeys ?? null,
    ]),
  )}`;

/** Defaults are rendered without the cluster's own items and without `.Values`, and depend on neither. */
function defaultsLayer(
  input: RenderInput,
  files: FileRenderer,
  poolsOfFile: readonly NodePool[],
  problems: ProblemList,
): Layer {
  const none: Layer = { name: 'config-defaults', values: new Map() };
  if (!input.tree.files.has(PATHS.defaults)) return none;
  const nodePools = mergePools(poolsOfFile, input.cluster.nodePools);
  const value = clusterValue(
    {
      cluster: { ...input.cluster, nodePools },
      items: {},
      poolItems: nodePools.map((pool) => pool.configItems),
      ...(input.account && { account: input.account }),
    },
    input.accountClusters ?? [input.cluster],
  );
  const rendered = problems.attempt(() =>
    files.render(PATHS.defaults, rootData(value, NO_VALUES, nilPointer(NODE_POOL))),
  );
  if (!rendered) return none;
  const read = readDefaults(rendered, files.duplicateKeys);
  problems.add(...read.problems);
  return read.layer;
}

function clear(
  value: string,
  key: string,
  inputs: LockedInputs,
  file: string,
  problems: ProblemList,
): string {
  if (!value.startsWith(ENCRYPTED)) return value;
  if (Object.hasOwn(inputs.decrypted, value)) {
    const decrypted = inputs.decrypted[value] as string;
    problems.add(...breakProblems(`config item ${key}`, decrypted, { file, field: key }));
    return decrypted;
  }
  problems.add(
    problem(
      'not-decrypted',
      `config item ${key} could not be decrypted`,
      { file, field: key },
      'Check the KMS key and that Fairway may use it.',
    ),
  );
  return '';
}

function decryptAll(
  items: EffectiveItems,
  inputs: LockedInputs,
  file: string,
  problems: ProblemList,
): Readonly<Record<string, string>> {
  return sortedItems([...items].map(([key, item]) => [key, clear(item.value, key, inputs, file, problems)]));
}

/** Every item of the cluster is an item of each pool that lacks it. */
function withItems(
  pool: NodePool,
  items: Readonly<Record<string, string>>,
  inputs: LockedInputs,
  file: string,
  problems: ProblemList,
): NodePool {
  const own = Object.entries(pool.configItems).map(([key, value]) => [
    key,
    clear(value, key, inputs, file, problems),
  ]);
  return { ...pool, configItems: sortedItems([...Object.entries(items), ...(own as [string, string][])]) };
}

/** The network as config items of the cluster, where it does not set them; pools do not get them. */
function locationItems(
  items: Readonly<Record<string, string>>,
  inputs: LockedInputs,
): Readonly<Record<string, string>> {
  const all = inputs.subnets['*'];
  return {
    ...(inputs.vpcId !== undefined && !Object.hasOwn(items, 'vpc_id') && { vpc_id: inputs.vpcId }),
    ...(all !== undefined && !Object.hasOwn(items, 'subnets') && { subnets: all }),
  };
}

function withInputs(items: EffectiveItems, located: Readonly<Record<string, string>>): EffectiveItems {
  const added = Object.entries(located).map(([key, value]): [string, EffectiveItem] => [
    key,
    { value, sensitive: false, layers: [{ layer: 'inputs', value }] },
  ]);
  return new Map([...items, ...added]);
}
