import type { DesiredNodePool, NodePool } from '#fleet';
import { isMasterProfile } from '#fleet';
import { PATHS, profilesOf } from '../layout/config-layout.js';
import type { PoolFile } from '../layout/config-layout.js';
import { isKarpenterProfile, nodePoolValue } from '../model/node-pool.model.js';
import { problem } from '../problems.js';
import type { GoValue } from '../template/types.js';
import { str } from '../template/values.js';
import { nearest } from '../validation/nearest.js';
import type { RenderedFile } from './file-renderer.js';
import { gzip } from './gzip.js';
import { dataOf, generatedFile, ownedTags, renderStack } from './render-stacks.js';
import type { StackContext } from './render-stacks.js';
import { poolValues, withValue } from './template-values.js';
import type { Values } from './template-values.js';

/** EC2 takes no more than this many bytes of user data before base64. */
const USER_DATA_LIMIT = 16_384;

export const renderNodePools = (context: StackContext, values: Values): readonly DesiredNodePool[] =>
  context.config.pools.flatMap((pool, index) =>
    isKarpenterProfile(pool.profile) ? [] : (renderPool(context, values, pool, index) ?? []),
  );

/** Files before user data before the stack: each needs the one before it. */
function renderPool(
  context: StackContext,
  values: Values,
  pool: NodePool,
  index: number,
): DesiredNodePool | undefined {
  if (!hasFiles(context, pool, index, ['stack.yaml', 'userdata.yaml'])) return undefined;
  const prepared = preparePool(context, values, pool, index);
  if (!prepared) return undefined;
  const encoded = encodeUserData(context, pool, prepared.userData);
  const made = renderStack(
    context,
    PATHS.pool(pool.profile, 'stack.yaml'),
    withValue(prepared.values, 'UserData', str(encoded)),
    () => stackIdentity(context, pool),
    prepared.pool,
    PATHS.pool(pool.name, 'stack.yaml'),
  );
  if (!made) return undefined;
  return {
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
  };
}

const stackIdentity = (
  { config: { cluster } }: StackContext,
  pool: NodePool,
): { readonly name: string; readonly tags: Readonly<Record<string, string>> } => ({
  name: `nodepool-${pool.name}-${cluster.id.replaceAll(':', '-')}`,
  tags: {
    ...ownedTags(cluster),
    'kubernetes.io/role/node-pool': 'true',
    'kubernetes.io/node-pool': pool.name,
    NodePool: pool.name,
    'kubernetes.io/node-pool/profile': pool.profile,
  },
});

/** Base64 for a launch template; what EC2 would refuse for its size is compressed first, which cloud-init undoes. */
function encodeUserData(context: StackContext, pool: NodePool, text: string): string {
  const plain = Buffer.from(text, 'utf8');
  if (plain.length <= USER_DATA_LIMIT) return plain.toString('base64');
  const packed = gzip(text);
  if (packed.length > USER_DATA_LIMIT) {
    const place = { file: PATHS.pool(pool.profile, 'userdata.yaml'), line: 1 };
    const message = `user data of node pool ${pool.name} has ${packed.length} bytes compressed; EC2 takes ${USER_DATA_LIMIT}`;
    context.problems.add(problem('user-data-too-large', message, place, 'Move content to files.yaml.'));
  }
  return packed.toString('base64');
}

/** Whether the pool's profile has the files; says what is missing. */
export function hasFiles(
  context: StackContext,
  pool: NodePool,
  index: number,
  names: readonly PoolFile[],
): boolean {
  const missing = names
    .map((name) => PATHS.pool(pool.profile, name))
    .filter((file) => !context.files.has(file));
  if (missing.length === 0) return true;
  const known = profilesOf(context.tree);
  if (known.includes(pool.profile)) {
    for (const file of missing) {
      context.problems.add(problem('missing-file', `node pool ${pool.name} needs ${file}`, { file }));
    }
    return false;
  }
  const near = nearest(pool.profile, known);
  const hint = near ? `Did you mean ${near}?` : `Profiles of this revision: ${known.join(', ') || 'none'}.`;
  const message = `node pool ${pool.name} has the unknown profile ${pool.profile}`;
  context.problems.add(problem('unknown-profile', message, recordPlace(context, index, 'profile'), hint));
  return false;
}

const recordPlace = (
  context: StackContext,
  index: number,
  field: string,
): { file: string; field: string } => ({
  file: `registry/${context.config.cluster.id}`,
  field: `node_pools[${index}].${field}`,
});

/** A pool as templates see it, and its user data. */
export interface PreparedPool {
  readonly values: Values;
  readonly pool: GoValue;
  readonly userData: string;
}

/** A pool's values, generated files and user data. Undefined where something is wrong, which is then reported. */
export function preparePool(
  context: StackContext,
  values: Values,
  pool: NodePool,
  index: number,
): PreparedPool | undefined {
  const own = isKarpenterProfile(pool.profile) ? { values } : poolValues(values, pool, context.inputs);
  if ('missing' in own) {
    const what = own.missing
      ? `the instance type ${own.missing} is not known in the region`
      : 'no instance type is given';
    const place = recordPlace(context, index, 'instance_types');
    context.problems.add(problem('unknown-instance-type', `node pool ${pool.name}: ${what}`, place));
    return undefined;
  }
  const value = nodePoolValue(pool, pool.configItems);
  const complete = withGeneratedFiles(context, own.values, pool, value);
  if (!complete) return undefined;
  const userData = renderOf(context, pool, 'userdata.yaml', complete, value)?.text;
  return userData === undefined ? undefined : { values: complete, pool: value, userData };
}

function withGeneratedFiles(
  context: StackContext,
  values: Values,
  pool: NodePool,
  value: GoValue,
): Values | undefined {
  if (!context.files.has(PATHS.pool(pool.profile, 'files.yaml'))) return values;
  const rendered = renderOf(context, pool, 'files.yaml', values, value);
  if (!rendered) return undefined;
  const master = isMasterProfile(pool.profile);
  const keyOutput = master ? 'MasterFilesEncryptionKey' : 'WorkerFilesEncryptionKey';
  const url = generatedFile(context, rendered, master ? 'master' : 'worker', keyOutput);
  return withValue(values, 'S3GeneratedFilesPath', str(url));
}

/** One of the profile's files, rendered for the pool and named after it. */
export const renderOf = (
  context: StackContext,
  pool: NodePool,
  file: PoolFile,
  values: Values,
  value: GoValue,
): RenderedFile | undefined =>
  context.problems.attempt(() => {
    const data = dataOf(context, values, value);
    return context.files.render(PATHS.pool(pool.profile, file), data, undefined, PATHS.pool(pool.name, file));
  });
