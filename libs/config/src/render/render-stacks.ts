import type { Cluster, ConfigTree, DesiredNodePool, LockedInputs, NodePool, StackTemplate } from '#fleet';
import { isMasterProfile } from '#fleet';
import { createHash } from 'node:crypto';
import { etcdFiles, extraStackFiles, PATHS, profilesOf } from '../layout/config-layout.js';
import { isKarpenterProfile, NODE_POOL, nodePoolValue } from '../model/node-pool.model.js';
import { instanceInfo } from '../model/instance-info.model.js';
import { problem } from '../problems.js';
import type { ProblemList } from '../problems.js';
import type { GoValue } from '../template/types.js';
import { str } from '../template/values.js';
import { checkStack } from '../validation/cloudformation.js';
import type { StackFacts } from '../validation/cloudformation.js';
import { nearest } from '../validation/nearest.js';
import type { EffectiveConfig } from './effective-config.js';
import { nilPointer, rootData } from './file-renderer.js';
import { gzip } from './gzip.js';
import type { FileRenderer, RenderedFile } from './file-renderer.js';
import { asData, poolValues, withValue } from './template-values.js';
import type { Values } from './template-values.js';

/** What all stacks of one cluster share. */
export interface StackContext {
  readonly tree: ConfigTree;
  readonly files: FileRenderer;
  readonly config: EffectiveConfig;
  readonly cluster: GoValue;
  readonly inputs: LockedInputs;
  readonly problems: ProblemList;
  readonly filesBucket: string;
}

const DEFAULT_ETCD_STACK = 'etcd-cluster-etcd';
/** EC2 takes no more than this many bytes of user data before base64. */
const USER_DATA_LIMIT = 16_384;

export const clusterName = (cluster: Cluster): string =>
  cluster.provider === 'zalando-eks' ? cluster.alias : cluster.id;

const ownedTags = (cluster: Cluster): Readonly<Record<string, string>> => ({
  [`kubernetes.io/cluster/${clusterName(cluster)}`]: 'owned',
});

const data = (context: StackContext, values: Values, pool: GoValue = nilPointer(NODE_POOL)): GoValue =>
  rootData(context.cluster, asData(values), pool);

function stack(
  context: StackContext,
  file: string,
  values: Values,
  describe: (facts: StackFacts) => { readonly name: string; readonly tags: Readonly<Record<string, string>> },
  pool?: GoValue,
  as = file,
): { readonly stack: StackTemplate; readonly facts: StackFacts } | undefined {
  const rendered = context.problems.attempt(() => context.files.render(file, data(context, values, pool), undefined, as));
  if (!rendered) return undefined;
  const { facts, problems } = checkStack(context.files, rendered);
  context.problems.add(...problems);
  if (!facts) return undefined;
  const { name, tags } = describe(facts);
  return { stack: { name, body: rendered.text, parameters: {}, tags: { ...facts.tags, ...tags }, file }, facts };
}

/** The main stack and the names of its outputs. */
export function renderClusterStack(context: StackContext, values: Values): ReturnType<typeof stack> {
  if (!context.files.has(PATHS.clusterStack)) {
    context.problems.add(problem('missing-file', 'the cluster stack is missing', { file: PATHS.clusterStack }, 'Add cluster/cluster.yaml.'));
    return undefined;
  }
  const { cluster } = context.config;
  return stack(context, PATHS.clusterStack, values, () => ({
    name: cluster.localId,
    tags: { ...ownedTags(cluster), 'cluster-lifecycle-controller.zalando.org/main-stack': 'true' },
  }));
}

export function renderEtcdStack(context: StackContext, values: Values): StackTemplate | undefined {
  const paths = etcdFiles(context.tree);
  if (paths.stack === undefined) return undefined;
  const { items } = context.config;
  let own = values;
  const type = items['etcd_instance_type'];
  if (type !== undefined) {
    const info = instanceInfo([type], context.inputs.instanceTypes);
    if ('value' in info) own = withValue(own, 'etcd_instance_type_info', info.value);
  }
  if (paths.files !== undefined) {
    const url = filesUrl(context, paths.files, 'etcd', own);
    if (url === undefined) return undefined;
    own = withValue(own, 'S3GeneratedFilesPath', str(url));
  }
  return stack(context, paths.stack, own, () => ({
    name: items['etcd_stack_name'] ?? DEFAULT_ETCD_STACK,
    tags: { application: 'kubernetes', component: 'etcd-cluster' },
  }))?.stack;
}

/** Extra stacks name themselves in their metadata; a file that renders to nothing is no stack. */
export function renderExtraStacks(context: StackContext, values: Values): readonly StackTemplate[] {
  const found: StackTemplate[] = [];
  for (const file of extraStackFiles(context.tree)) {
    const rendered = context.problems.attempt(() => context.files.render(file, data(context, values)));
    if (!rendered || isBlank(rendered)) continue;
    const made = stack(context, file, values, ({ stackName = '' }) => ({
      name: stackName,
      tags: ownedTags(context.config.cluster),
    }));
    if (!made) continue;
    const clash = found.find(({ name }) => name === made.stack.name);
    if (made.stack.name === '') {
      context.problems.add(problem('invalid-stack', 'Metadata.StackName is missing', { file, line: 1, field: 'Metadata.StackName' }));
    } else if (clash) {
      context.problems.add(problem('duplicate-stack', `the stack ${made.stack.name} is also defined in ${clash.file}`, { file, line: 1 }));
    } else found.push(made.stack);
  }
  return found;
}

const isBlank = (rendered: RenderedFile): boolean =>
  rendered.text.split('\n').every((line) => /^\s*(#.*)?$/.test(line) || line === '---');

/** Where a pool's or the etcd's generated files are stored: under the hash of their content. */
function filesUrl(
  context: StackContext,
  file: string,
  kind: string,
  values: Values,
  pool?: GoValue,
  as = file,
): string | undefined {
  const rendered = context.problems.attempt(() => context.files.render(file, data(context, values, pool), undefined, as));
  if (!rendered) return undefined;
  const hash = createHash('sha512').update(rendered.text).digest('hex');
  return `s3://${context.filesBucket}/${context.config.cluster.localId}/${kind}/${hash}.userdata`;
}

export function renderNodePools(context: StackContext, values: Values): readonly DesiredNodePool[] {
  return context.config.pools.flatMap((pool, index) =>
    isKarpenterProfile(pool.profile) ? [] : (renderPool(context, values, pool, index) ?? []),
  );
}

/** Files before user data before the stack: each needs the one before it. */
function renderPool(context: StackContext, values: Values, pool: NodePool, index: number): DesiredNodePool | undefined {
  const { config } = context;
  const paths = { stack: PATHS.pool(pool.profile, 'stack.yaml'), userData: PATHS.pool(pool.profile, 'userdata.yaml') };
  if (!hasProfile(context, pool, index, [paths.stack, paths.userData])) return undefined;
  const prepared = preparePool(context, values, pool, index);
  if (!prepared) return undefined;
  const { cluster } = config;
  const made = stack(
    context,
    paths.stack,
    withValue(prepared.values, 'UserData', str(encodeUserData(context, pool, paths.userData, prepared.userData))),
    () => ({
      name: `nodepool-${pool.name}-${cluster.id.replaceAll(':', '-')}`,
      tags: {
        ...ownedTags(cluster),
        'kubernetes.io/role/node-pool': 'true',
        'kubernetes.io/node-pool': pool.name,
        NodePool: pool.name,
        'kubernetes.io/node-pool/profile': pool.profile,
      },
    }),
    prepared.pool,
    PATHS.pool(pool.name, 'stack.yaml'),
  );
  return (
    made && {
      name: pool.name,
      profile: pool.profile,
      master: isMasterProfile(pool.profile),
      minSize: pool.minSize,
      maxSize: pool.maxSize,
      instanceTypes: pool.instanceTypes,
      discountStrategy: pool.discountStrategy,
      stack: made.stack,
      userData: prepared.userData,
      configItems: pool.configItems,
    }
  );
}

/** Base64 for a launch template; what EC2 would refuse for its size is compressed first, which cloud-init undoes. */
function encodeUserData(context: StackContext, pool: NodePool, file: string, text: string): string {
  const plain = Buffer.from(text, 'utf8');
  if (plain.length <= USER_DATA_LIMIT) return plain.toString('base64');
  const packed = gzip(text);
  if (packed.length > USER_DATA_LIMIT) {
    const message = `user data of node pool ${pool.name} has ${packed.length} bytes compressed; EC2 takes ${USER_DATA_LIMIT}`;
    context.problems.add(problem('user-data-too-large', message, { file, line: 1 }, 'Move content to files.yaml.'));
  }
  return packed.toString('base64');
}

function hasProfile(context: StackContext, pool: NodePool, index: number, files: readonly string[]): boolean {
  if (files.every((file) => context.files.has(file))) return true;
  const known = profilesOf(context.tree);
  const place = { file: `registry/${context.config.cluster.id}`, field: `node_pools[${index}].profile` };
  if (known.includes(pool.profile)) {
    const missing = files.find((file) => !context.files.has(file)) as string;
    context.problems.add(problem('missing-file', `node pool ${pool.name} needs ${missing}`, { file: missing }));
  } else {
    const near = nearest(pool.profile, known);
    const hint = near ? `Did you mean ${near}?` : `Profiles of this revision: ${known.join(', ') || 'none'}.`;
    context.problems.add(problem('unknown-profile', `node pool ${pool.name} has the unknown profile ${pool.profile}`, place, hint));
  }
  return false;
}

/** A pool's values, and its user data rendered with them. */
export function preparePool(
  context: StackContext,
  values: Values,
  pool: NodePool,
  index: number,
): { readonly values: Values; readonly pool: GoValue; readonly userData: string } | undefined {
  const own = isKarpenterProfile(pool.profile) ? { values } : poolValues(values, pool, context.inputs);
  if ('missing' in own) {
    const what = own.missing ? `the instance type ${own.missing} is not known in the region` : 'no instance type is given';
    const place = { file: `registry/${context.config.cluster.id}`, field: `node_pools[${index}].instance_types` };
    context.problems.add(problem('unknown-instance-type', `node pool ${pool.name}: ${what}`, place));
    return undefined;
  }
  const value = nodePoolValue(pool, pool.configItems);
  const generated = PATHS.pool(pool.profile, 'files.yaml');
  let withFiles = own.values;
  if (context.files.has(generated)) {
    const url = filesUrl(context, generated, isMasterProfile(pool.profile) ? 'master' : 'worker', own.values, value, PATHS.pool(pool.name, 'files.yaml'));
    if (url === undefined) return undefined;
    withFiles = withValue(withFiles, 'S3GeneratedFilesPath', str(url));
  }
  const file = PATHS.pool(pool.profile, 'userdata.yaml');
  const userData = context.problems.attempt(() => context.files.render(file, data(context, withFiles, value), undefined, PATHS.pool(pool.name, 'userdata.yaml')).text);
  if (userData === undefined) return undefined;
  return { values: withFiles, pool: value, userData };
}

export const poolData = data;
