import type { Cluster, ConfigTree, InstanceTypeFacts, LockedInputs } from '#fleet';
import { digestOf, digestOfValue } from '#kernel';
import { ENCRYPTED } from '../layers/config-layers.js';
import type { ConfigOverride } from '../layers/config-layers.js';
import { PATHS } from '../layout/config-layout.js';
import { clusterValue, recordKey } from '../model/cluster.model.js';
import { isKarpenterProfile, NODE_POOL, nodePoolValue } from '../model/node-pool.model.js';
import { ProblemList } from '../problems.js';
import { toBytes, toText } from '../template/bytes.js';
import { callError } from '../template/errors.js';
import type { Lookups } from '../template/functions/aws.js';
import type { RenderBudget } from '../template/render-budget.js';
import { str, stringMap } from '../template/values.js';
import { effectiveConfig } from './effective-config.js';
import type { EffectiveConfig } from './effective-config.js';
import { FileRenderer, nilPointer, rootData } from './file-renderer.js';
import { renderBudget } from './render-input.js';
import type { RenderInput, RenderOptions } from './render-input.js';
import { asData, clusterValues, poolValues, withValue } from './template-values.js';
import type { Values } from './template-values.js';

/** What answers `amiID` and the instance type functions: the lock, and nothing else. */
export const lockedLookups = ({ inputs }: Pick<RenderInput, 'inputs'>): Lookups => ({
  amiId: (name, owner) => {
    const key = `${toText(name)}|${toText(owner)}`;
    if (Object.hasOwn(inputs.images, key)) return toBytes(inputs.images[key] as string);
    return callError(`there is not exactly one image with name ${name} and owner ${owner}`);
  },
  instanceType: (bytes) => {
    const name = toText(bytes);
    const facts = Object.hasOwn(inputs.instanceTypes, name) ? inputs.instanceTypes[name] : undefined;
    return facts ?? callError(`unknown instance type: ${bytes}`);
  },
});

/** What a render of a cluster will ask of AWS, and so what its lock must hold. */
export interface WantedInputs {
  readonly images: readonly { readonly name: string; readonly owner: string }[];
  readonly instanceTypes: readonly string[];
  readonly cipherTexts: readonly string[];
  readonly vpcId?: string;
}

const remembered = new WeakMap<ConfigTree, Map<string, WantedInputs>>();

/** Found by rendering, without AWS, the files that call a lookup. Remembered for as long as the tree is. */
export function lookupsOf(
  tree: ConfigTree,
  cluster: Cluster,
  overrides: readonly ConfigOverride[] = [],
  options: RenderOptions = {},
): WantedInputs {
  const known = remembered.get(tree) ?? new Map<string, WantedInputs>();
  remembered.set(tree, known);
  const key =
    overrides.length === 0 ? recordKey(cluster) : `${recordKey(cluster)} ${digestOfValue(overrides)}`;
  const before = known.get(key);
  if (before) return before;
  const budget = renderBudget(tree, options);
  const wanted = find({ tree, cluster, overrides, inputs: NO_INPUTS }, budget);
  // What was cut short says nothing about the next try.
  if (!budget.spent) known.set(key, wanted);
  return wanted;
}

const PLACEHOLDER_TYPE: InstanceTypeFacts = {
  vcpus: 2,
  memoryBytes: 8 * 2 ** 30,
  architecture: 'amd64',
  storageBytes: 0,
};
const CALLS_LOOKUP = /\b(amiID|instanceType(CPU|Memory)Quantity)\b/;
const SEPARATOR = '|';

function find(input: RenderInput, budget: RenderBudget): WantedInputs {
  const { tree, cluster } = input;
  const images = new Set<string>();
  const types = new Set<string>();
  const lookups: Lookups = {
    amiId: (name, owner) => {
      images.add(`${toText(name)}${SEPARATOR}${toText(owner)}`);
      return 'ami-00000000000000000';
    },
    instanceType: (name) => {
      types.add(toText(name));
      return PLACEHOLDER_TYPE;
    },
  };
  const problems = new ProblemList();
  const files = new FileRenderer(tree, { lookups, budget, duplicateKeys: 'warning' });
  const config = effectiveConfig(input, files, problems);
  for (const pool of config.pools)
    if (!isKarpenterProfile(pool.profile)) pool.instanceTypes.forEach((type) => types.add(type));
  const etcd = config.items['etcd_instance_type'];
  if (etcd !== undefined) types.add(etcd);
  renderCallers(tree, config, files, problems, [...types]);
  const vpcId = config.items['vpc_id'];
  return {
    images: [...images].sort().map(splitImage),
    instanceTypes: [...types].sort(),
    cipherTexts: cipherTexts(config, cluster),
    ...(vpcId !== undefined && { vpcId }),
  };
}

const splitImage = (key: string): { name: string; owner: string } => {
  const at = key.lastIndexOf(SEPARATOR);
  return { name: key.slice(0, at), owner: key.slice(at + 1) };
};

const cipherTexts = (config: EffectiveConfig, cluster: Cluster): readonly string[] => {
  const values = [
    ...[...config.provenance.values()].map((item) => item.value),
    ...cluster.nodePools.flatMap((pool) => Object.values(pool.configItems)),
  ];
  return [...new Set(values.filter((value) => value.startsWith(ENCRYPTED)))].sort();
};

const NO_INPUTS: LockedInputs = {
  digest: digestOf(''),
  availabilityZones: [],
  subnets: {},
  loadBalancerSubnets: {},
  images: {},
  instanceTypes: {},
  decrypted: {},
};

/** Renders the files that call a lookup; what fails for want of inputs fails again, and is reported, in the render proper. */
function renderCallers(
  tree: ConfigTree,
  config: EffectiveConfig,
  files: FileRenderer,
  problems: ProblemList,
  types: readonly string[],
): void {
  const facts = Object.fromEntries(types.map((type) => [type, PLACEHOLDER_TYPE]));
  const inputs = { ...NO_INPUTS, instanceTypes: facts };
  const poolItems = config.pools.map((pool) => pool.configItems);
  const cluster = clusterValue({ cluster: config.cluster, items: config.items, poolItems }, [config.cluster]);
  const base = withValue(clusterValues(config, inputs), 'ClusterStackOutputs', stringMap({}));
  const values: Values = withValue(withValue(base, 'UserData', str('')), 'S3GeneratedFilesPath', str(''));
  for (const [file, text] of tree.files) {
    if (file === PATHS.defaults || !file.startsWith('cluster/') || !CALLS_LOOKUP.test(text)) continue;
    const profile = file.startsWith(PATHS.nodePools)
      ? file.slice(PATHS.nodePools.length).split('/')[0]
      : undefined;
    if (profile === undefined) {
      const data = rootData(cluster, asData(values), nilPointer(NODE_POOL));
      problems.attempt(() => files.render(file, data, new Map()));
    }
    for (const pool of config.pools.filter((one) => one.profile === profile)) {
      const own = poolValues(values, pool, inputs);
      const data = rootData(
        cluster,
        asData('values' in own ? own.values : values),
        nodePoolValue(pool, pool.configItems),
      );
      problems.attempt(() => files.render(file, data));
    }
  }
}
