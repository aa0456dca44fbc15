/** The demo's fleet: one cluster in dev, one in alpha, two in beta, one in stable. */
export const ACCOUNTS = ['111111111111', '222222222222', '333333333333'] as const;

interface Wish {
  readonly alias: string;
  readonly account: (typeof ACCOUNTS)[number];
  readonly localId: string;
  readonly channel: string;
  readonly environment: string;
  readonly criticality: number;
}

const FLEET: readonly Wish[] = [
  {
    alias: 'playground',
    account: ACCOUNTS[0],
    localId: 'kube-1',
    channel: 'dev',
    environment: 'test',
    criticality: 1,
  },
  {
    alias: 'shop-test',
    account: ACCOUNTS[0],
    localId: 'kube-2',
    channel: 'alpha',
    environment: 'test',
    criticality: 1,
  },
  {
    alias: 'search',
    account: ACCOUNTS[1],
    localId: 'kube-1',
    channel: 'beta',
    environment: 'production',
    criticality: 1,
  },
  {
    alias: 'checkout',
    account: ACCOUNTS[1],
    localId: 'kube-2',
    channel: 'beta',
    environment: 'production',
    criticality: 2,
  },
  {
    alias: 'payments',
    account: ACCOUNTS[2],
    localId: 'kube-1',
    channel: 'stable',
    environment: 'production',
    criticality: 3,
  },
];

const REGION = 'eu-central-1';

/** Bodies for POST /infrastructure-accounts. */
export const accountRecords = () =>
  ACCOUNTS.map((id, index) => ({
    id: `aws:${id}`,
    type: 'aws',
    name: `account-${index + 1}`,
    owner: 'team/platform',
    cost_center: '0000001234',
    environment: index === 0 ? 'test' : 'production',
    criticality_level: index + 1,
    external_id: id,
    lifecycle_status: 'ready',
  }));

/** Bodies for POST /kubernetes-clusters: three masters and four workers each. */
export const clusterRecords = (serverOf: (clusterId: string) => string, etcdUrl?: string) =>
  FLEET.map((wish) => {
    const id = `aws:${wish.account}:${REGION}:${wish.localId}`;
    return {
      id,
      alias: wish.alias,
      infrastructure_account: `aws:${wish.account}`,
      region: REGION,
      local_id: wish.localId,
      provider: 'zalando-aws',
      api_server_url: serverOf(id),
      channel: wish.channel,
      environment: wish.environment,
      criticality_level: wish.criticality,
      lifecycle_status: 'requested',
      // Two clusters share an account: each has its own etcd.
      config_items: {
        etcd_stack_name: `etcd-${wish.localId}`,
        ...(wish.channel === 'dev' && etcdUrl !== undefined && etcdItems(etcdUrl)),
      },
      node_pools: [
        pool('master-default', 'master-default', 3, 'm5.large'),
        pool('worker-default', 'worker-default', 4, 'm5.xlarge'),
      ],
    };
  });

/** The dev cluster's etcd has members that are looked after; the others show clusters without. */
const etcdItems = (etcdUrl: string) => ({
  etcd_endpoints: etcdUrl,
  etcd_peer_url: 'http://{ip}:2380',
  etcd_replacement: 'member',
  // The simulated machines live faster than these clocks.
  etcd_settle: '500ms',
});

const pool = (name: string, profile: string, size: number, instanceType: string) => ({
  name,
  profile,
  instance_types: [instanceType],
  discount_strategy: 'none',
  min_size: size,
  max_size: size + 4,
  config_items: {},
});
