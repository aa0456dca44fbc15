/** Registry records as clients send them: every field of the contract. */
export const ACCOUNT_ID = 'aws:123456789012';

export const wireAccount = (over: Readonly<Record<string, unknown>> = {}) => ({
  id: ACCOUNT_ID,
  type: 'aws',
  name: 'foo',
  owner: 'team/bar',
  cost_center: '0000001234',
  environment: 'production',
  criticality_level: 2,
  external_id: '123456789012',
  lifecycle_status: 'ready',
  ...over,
});

export const wirePool = (name = 'pool-1', over: Readonly<Record<string, unknown>> = {}) => ({
  name,
  profile: 'worker-default',
  instance_types: ['m5.large', 'm5.xlarge'],
  discount_strategy: 'none',
  min_size: 3,
  max_size: 20,
  config_items: { local_storage: 'yes' },
  ...over,
});

export const wireCluster = (localId: string, over: Readonly<Record<string, unknown>> = {}) => ({
  id: `${ACCOUNT_ID}:eu-central-1:${localId}`,
  alias: localId,
  infrastructure_account: ACCOUNT_ID,
  region: 'eu-central-1',
  local_id: localId,
  provider: 'zalando-aws',
  api_server_url: `https://${localId}.foo.example.org/`,
  channel: 'alpha',
  environment: 'production',
  criticality_level: 2,
  lifecycle_status: 'ready',
  config_items: { product_x_key: 'abcde', product_y_key: '12345' },
  node_pools: [wirePool('masters', { profile: 'master-default' }), wirePool()],
  ...over,
});
