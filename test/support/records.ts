import type { ClusterStatus, FleetEvent, InfrastructureAccount, NodePool, Update } from '#fleet';
import type { NewCluster, NewIntent } from '#ports';

/** Records for tests of the stores: plausible, with every field set. */
export const account = (over: Partial<InfrastructureAccount> = {}): InfrastructureAccount => ({
  id: 'aws:123456789012',
  type: 'aws',
  name: 'foo',
  owner: 'team/bar',
  costCenter: '0000001234',
  environment: 'production',
  criticalityLevel: 2,
  externalId: '123456789012',
  lifecycleStatus: 'ready',
  ...over,
});

export const pool = (name: string, over: Partial<NodePool> = {}): NodePool => ({
  name,
  profile: name === 'masters' ? 'master-default' : 'worker-default',
  instanceTypes: ['m5.large', 'm5.xlarge'],
  discountStrategy: 'none',
  minSize: 1,
  maxSize: 3,
  configItems: {},
  ...over,
});

export const cluster = (localId: string, over: Partial<NewCluster> = {}): NewCluster => ({
  id: `aws:123456789012:eu-central-1:${localId}`,
  alias: localId,
  infrastructureAccount: 'aws:123456789012',
  region: 'eu-central-1',
  localId,
  provider: 'zalando-aws',
  apiServerUrl: `https://${localId}.example.org/`,
  channel: 'dev',
  environment: 'production',
  criticalityLevel: 2,
  lifecycleStatus: 'requested',
  configItems: { product_x_key: 'abcde' },
  nodePools: [pool('masters'), pool('workers', { configItems: { local_storage: 'yes' } })],
  ...over,
});

export const status = (clusterId: string, over: Partial<ClusterStatus> = {}): ClusterStatus => ({
  clusterId,
  phase: 'ready',
  message: 'up to date',
  problems: [],
  steps: [],
  nodes: [],
  since: 1_000,
  consecutiveFailures: 0,
  updatedAt: 1_000,
  ...over,
});

export const event = (type: string, over: Partial<FleetEvent> = {}): FleetEvent => ({
  type,
  at: 1_000,
  severity: 'info',
  subject: 'fleet',
  message: type,
  data: {},
  ...over,
});

export const update = (id: string, clusterId: string, over: Partial<Update> = {}): Update => ({
  id,
  clusterId,
  kind: 'update',
  state: 'running',
  startedAt: 1_000,
  ...over,
});

export const intent = (id: string, of: Update, over: Partial<NewIntent> = {}): NewIntent => ({
  id,
  updateId: of.id,
  clusterId: of.clusterId,
  step: 'node-pools',
  target: 'i-1',
  verb: 'terminate',
  data: { expected: 3 },
  recordedAt: 1_000,
  ...over,
});
