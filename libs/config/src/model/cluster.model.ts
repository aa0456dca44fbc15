import type { Cluster, InfrastructureAccount } from '#fleet';
import { canonicalJson } from '#kernel';
import { ANY, INT32, named, pointerTo, sliceOf, STRING, STRING_MAP } from '../template/types.js';
import type { GoMethod, GoType, GoValue } from '../template/types.js';
import {
  asBytes,
  asFields,
  asSlice,
  bool,
  bytesValue,
  inside,
  int32,
  int64,
  nilOf,
  pointer,
  slice,
  str,
  stringMap,
  struct,
} from '../template/values.js';
import { toBytes, toText } from '../template/bytes.js';
import { isKarpenterProfile, NODE_POOLS, nodePoolValue, poolProfile, poolsOf } from './node-pool.model.js';

/** Provider of clusters whose control plane AWS runs. */
export const EKS = 'zalando-eks';
const field = (cluster: GoValue, name: string): GoValue => asFields(cluster).get(name) as GoValue;
const text = (cluster: GoValue, name: string): string => asBytes(field(cluster, name));
const accountId = (cluster: GoValue): string => text(cluster, 'InfrastructureAccount').replace(/^aws:/, '');
const roleArn = (cluster: GoValue): string =>
  `arn:aws:iam::${accountId(cluster)}:role/${text(cluster, 'LocalID')}-worker`;
const oidcArn = (cluster: GoValue): string =>
  `arn:aws:iam::${accountId(cluster)}:oidc-provider/${text(cluster, 'OIDCProvider')}`;

const getter = (call: (cluster: GoValue) => GoValue): GoMethod => ({ params: [], call });
const textGetter = (call: (cluster: GoValue) => string): GoMethod =>
  getter((cluster) => bytesValue(call(cluster)));

const poolsWhere = (cluster: GoValue, keep: (profile: string) => boolean): GoValue => {
  const pools = poolsOf(field(cluster, 'NodePools')).filter((pool) => keep(poolProfile(pool)));
  return pools.length === 0 ? nilOf(NODE_POOLS) : slice(NODE_POOLS, pools.map(pointer));
};

const readyInRegion = (cluster: GoValue): readonly GoValue[] =>
  asSlice(field(cluster, 'AccountClusters'))
    .items.map(inside)
    .filter(
      (other) =>
        text(other, 'LifecycleStatus') === 'ready' && text(other, 'Region') === text(cluster, 'Region'),
    );

function sibling(cluster: GoValue): GoValue {
  const others = readyInRegion(cluster).filter((other) => text(other, 'ID') !== text(cluster, 'ID'));
  return others[0] ? pointer(others[0]) : nilOf(pointerTo(CLUSTER));
}

function isOldest(cluster: GoValue): GoValue {
  const first = readyInRegion(cluster)[0];
  if (first) return bool(text(first, 'ID') === text(cluster, 'ID'));
  return bool(asSlice(field(cluster, 'AccountClusters')).len === 0);
}

const METHODS: ReadonlyMap<string, GoMethod> = new Map([
  ['Name', textGetter((cluster) => text(cluster, text(cluster, 'Provider') === EKS ? 'Alias' : 'ID'))],
  ['InfrastructureAccountID', textGetter(accountId)],
  ['WorkerRoleARN', textGetter(roleArn)],
  ['OIDCProviderARN', textGetter(oidcArn)],
  ['OIDCSubjectKey', textGetter((cluster) => `${text(cluster, 'OIDCProvider')}:sub`)],
  ['KarpenterPools', getter((cluster) => poolsWhere(cluster, isKarpenterProfile))],
  ['ASGBackedPools', getter((cluster) => poolsWhere(cluster, (profile) => !isKarpenterProfile(profile)))],
  ['SiblingCluster', getter(sibling)],
  ['IsOldestReadyClusterInTheRegion', getter(isOldest)],
]);

const STATUS_FIELDS: ReadonlyMap<string, GoType> = new Map([
  ['CurrentVersion', STRING],
  ['LastVersion', STRING],
  ['NextVersion', STRING],
  ['Problems', sliceOf(ANY)],
]);
const STATUS: GoType = { kind: 'struct', name: 'config.ClusterStatus', fields: () => STATUS_FIELDS };
const TIME: GoType = {
  ...named('time.Time', 'int64'),
  string: (value) =>
    `${new Date(Number(value.v as bigint))
      .toISOString()
      .replace('T', ' ')
      .replace(/\.000Z$|Z$/, '')} +0000 UTC`,
};

const FIELDS: ReadonlyMap<string, GoType> = new Map<string, GoType>([
  ...['Alias', 'APIServerURL', 'Channel'].map((name) => [name, STRING] as const),
  ['ConfigItems', STRING_MAP],
  ['CriticalityLevel', INT32],
  ...['Environment', 'ID', 'InfrastructureAccount', 'LifecycleStatus', 'LocalID'].map(
    (name) => [name, STRING] as const,
  ),
  ['NodePools', NODE_POOLS],
  ['Provider', STRING],
  ['Region', STRING],
  ['Status', pointerTo(STATUS)],
  ['Owner', STRING],
  ['AccountName', STRING],
  ['CreatedAt', TIME],
  ['AccountClusters', sliceOf(pointerTo(STRING))],
  ['OIDCProvider', STRING],
  ['IAMRoleTrustRelationshipTemplate', STRING],
]);

const CLUSTER: GoType = { kind: 'struct', name: 'config.Cluster', fields: () => FIELDS, methods: METHODS };
const CLUSTERS = sliceOf(pointerTo(CLUSTER));

/** The zone of the API server's host name: all but its first label. Undefined where the URL has no such host. */
export function hostedZoneOf(apiServerUrl: string): string | undefined {
  const host = /^[a-z]+:\/\/([^/:?#]+)/i.exec(apiServerUrl)?.[1];
  const dot = host?.indexOf('.') ?? -1;
  return dot > 0 ? host?.slice(dot + 1) : undefined;
}

export interface ClusterFacts {
  readonly cluster: Cluster;
  readonly items: Readonly<Record<string, string>>;
  /** Effective items of each pool, in the order of the record. */
  readonly poolItems: readonly Readonly<Record<string, string>>[];
  readonly account?: Pick<InfrastructureAccount, 'name' | 'owner'>;
}

function oidcProvider({ cluster, items }: ClusterFacts): string {
  if (cluster.provider === EKS) return (items['eks_oidc_issuer_url'] ?? '').replace(/^https:\/\//, '');
  const zone = hostedZoneOf(cluster.apiServerUrl);
  return zone === undefined ? '' : `${cluster.localId}.${zone}`;
}

function baseFields(facts: ClusterFacts): Map<string, GoValue> {
  const { cluster, items, poolItems, account } = facts;
  return new Map<string, GoValue>([
    ['Alias', str(cluster.alias)],
    ['APIServerURL', str(cluster.apiServerUrl)],
    ['Channel', str(cluster.channel)],
    ['ConfigItems', stringMap(items)],
    ['CriticalityLevel', int32(cluster.criticalityLevel)],
    ['Environment', str(cluster.environment)],
    ['ID', str(cluster.id)],
    ['InfrastructureAccount', str(cluster.infrastructureAccount)],
    ['LifecycleStatus', str(cluster.lifecycleStatus)],
    ['LocalID', str(cluster.localId)],
    [
      'NodePools',
      slice(
        NODE_POOLS,
        cluster.nodePools.map((pool, at) => nodePoolValue(pool, poolItems[at] ?? {})),
      ),
    ],
    ['Provider', str(cluster.provider)],
    ['Region', str(cluster.region)],
    ['Status', nilOf(pointerTo(STATUS))],
    ['Owner', str(account?.owner ?? '')],
    ['AccountName', str(account?.name ?? '')],
    ['CreatedAt', { ...int64(cluster.createdAt), t: TIME }],
    ['OIDCProvider', str(oidcProvider(facts))],
  ]);
}

/** IAM trust of everything that runs in the account's ready clusters; `${SERVICE_ACCOUNT}` is for the reader to fill in. */
function trustRelationship(clusters: readonly GoValue[]): string {
  const service = (name: string, actions: readonly string[], sid?: string): object => ({
    Effect: 'Allow',
    Principal: { Service: name },
    Action: actions,
    ...(sid !== undefined && { Sid: sid }),
  });
  const statements = clusters
    .filter((cluster) => text(cluster, 'LifecycleStatus') === 'ready')
    .flatMap((cluster) => [
      { Effect: 'Allow', Principal: { AWS: toText(roleArn(cluster)) }, Action: ['sts:AssumeRole'] },
      {
        Effect: 'Allow',
        Principal: { Federated: toText(oidcArn(cluster)) },
        Action: ['sts:AssumeRoleWithWebIdentity'],
        Condition: {
          StringLike: {
            [`${toText(text(cluster, 'OIDCProvider'))}:sub`]: 'system:serviceaccount:${SERVICE_ACCOUNT}',
          },
        },
      },
    ]);
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      service('ec2.amazonaws.com', ['sts:AssumeRole'], 'CLMApplied'),
      service('pods.eks.amazonaws.com', ['sts:AssumeRole', 'sts:TagSession']),
      ...statements,
    ],
  });
}

/** `.Cluster`: a pointer to the cluster; `accountClusters` are the clusters of its account, oldest first, itself included. */
export function clusterValue(facts: ClusterFacts, accountClusters: readonly Cluster[]): GoValue {
  const others = accountClusters.map((cluster) =>
    struct(
      CLUSTER,
      baseFields({
        cluster,
        items: cluster.configItems,
        poolItems: cluster.nodePools.map((pool) => pool.configItems),
        ...(facts.account && { account: facts.account }),
      })
        .set('AccountClusters', nilOf(CLUSTERS))
        .set('IAMRoleTrustRelationshipTemplate', str('')),
    ),
  );
  const fields = baseFields(facts)
    .set('AccountClusters', slice(CLUSTERS, others.map(pointer)))
    .set('IAMRoleTrustRelationshipTemplate', bytesValue(toBytes(trustRelationship(others))));
  return pointer(struct(CLUSTER, fields));
}

/** Everything of a record that a render can see, as text for digests. */
export const recordKey = (cluster: Cluster): string => canonicalJson({ ...cluster, recordVersion: 0 });
