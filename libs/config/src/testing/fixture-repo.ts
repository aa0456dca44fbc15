import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster, ConfigTree, InstanceTypeFacts, LockedInputs, NodePool } from '#fleet';
import { digestOfValue } from '#kernel';

const DIRECTORY = fileURLToPath(new URL('../../../../test/fixtures/config-repo', import.meta.url));

/** The fixture repository's files, with some of them replaced (null removes one). */
export function fixtureTree(changes: Readonly<Record<string, string | null>> = {}): ConfigTree {
  const files = new Map<string, string>();
  for (const entry of readdirSync(DIRECTORY, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(DIRECTORY, path), readFileSync(path, 'utf8'));
  }
  for (const [path, text] of Object.entries(changes)) {
    if (text === null) files.delete(path);
    else files.set(path, text);
  }
  return treeOf(files);
}

export function treeOf(files: ReadonlyMap<string, string>): ConfigTree {
  const digest = digestOfValue([...files].filter(([path]) => path.startsWith('cluster/')).sort());
  return { commit: digest.slice(7, 47), treeDigest: digest, files };
}

export const pool = (name: string, changes: Partial<NodePool> = {}): NodePool => ({
  name,
  profile: name.startsWith('master') ? 'master-default' : 'worker-default',
  instanceTypes: ['m5.large'],
  discountStrategy: 'none',
  minSize: 3,
  maxSize: 6,
  configItems: {},
  ...changes,
});

export const cluster = (changes: Partial<Cluster> = {}): Cluster => ({
  id: 'aws:123456789012:eu-central-1:kube-1',
  alias: 'sandbox-1',
  infrastructureAccount: 'aws:123456789012',
  region: 'eu-central-1',
  localId: 'kube-1',
  provider: 'zalando-aws',
  apiServerUrl: 'https://kube-1.sandbox.example.org',
  channel: 'dev',
  environment: 'test',
  criticalityLevel: 1,
  lifecycleStatus: 'ready',
  configItems: {},
  nodePools: [pool('master-default', { maxSize: 3 }), pool('worker-default', { minSize: 4 })],
  createdAt: 0,
  recordVersion: 1,
  ...changes,
});

const facts = (vcpus: number, gib: number): InstanceTypeFacts => ({
  vcpus,
  memoryBytes: gib * 2 ** 30,
  architecture: 'amd64',
  storageBytes: 0,
});

const ZONES = ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'] as const;
const subnets = (prefix: string): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(ZONES.map((zone) => [zone, `${prefix}-${zone.slice(-1)}`])),
  '*': ZONES.map((zone) => `${prefix}-${zone.slice(-1)}`).join(','),
});

export function lock(changes: Partial<LockedInputs> = {}): LockedInputs {
  const content = {
    vpcId: 'vpc-1',
    vpcIpv4Cidr: '172.31.0.0/16',
    availabilityZones: ZONES,
    subnets: subnets('subnet'),
    loadBalancerSubnets: subnets('public'),
    hostedZone: 'sandbox.example.org',
    images: {
      'fairway-node-1.31.4-20251103|861068367966': 'ami-0a1310000000000a1',
      'fairway-node-1.31.4-20251117|861068367966': 'ami-0a1310000000000a2',
    },
    instanceTypes: { 'm5.large': facts(2, 8), 'm5.xlarge': facts(4, 16) },
    clusterStackOutputs: {
      ApiTargetGroupArn: 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/kube-1-api/1',
    },
    decrypted: {},
    ...changes,
  };
  return { digest: digestOfValue(content), ...content };
}
