import { z } from 'zod';
import type { Cluster, ConfigTree, InstanceTypeFacts, LockedInputs } from '#fleet';
import { lookupsOf } from '#config';
import { digestOfValue } from '#kernel';
import { issuesOf, refuse } from './cluster-records.js';
import { readData } from './read-file.js';

const texts = z.record(z.string(), z.string());
const count = z.number().int().nonnegative();

const instanceType = z.object({
  vcpus: count,
  memoryBytes: count,
  architecture: z.string().default('amd64'),
  storageBytes: count.default(0),
});

/** `LockedInputs` as a file; everything may be absent. The digest is made anew from the content. */
const lockSchema = z.object({
  vpcId: z.string().optional(),
  vpcIpv4Cidr: z.string().optional(),
  availabilityZones: z.array(z.string()).optional(),
  subnets: texts.default({}),
  loadBalancerSubnets: texts.default({}),
  internalNodeSubnets: texts.optional(),
  podSubnets: texts.optional(),
  vpcIpv6Cidrs: z.array(z.string()).optional(),
  subnetIpv6Cidrs: z.array(z.string()).optional(),
  etcdKmsKeyArn: z.string().optional(),
  hostedZone: z.string().optional(),
  loadBalancerCertificate: z.string().optional(),
  images: texts.default({}),
  instanceTypes: z.record(z.string(), instanceType).default({}),
  clusterStackOutputs: texts.optional(),
  decrypted: texts.default({}),
});

/** Names of members, not of what is inside: subnets, images and outputs have names of their own. */
function camelCased(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [camel(key), value]));
}
const camel = (key: string): string =>
  key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** A lock from a file (JSON or YAML, members in camelCase or snake_case). */
export function readLock(file: string): LockedInputs {
  const data = camelCased(readData(file));
  const types = (data as { instanceTypes?: unknown } | null)?.instanceTypes;
  const cased =
    typeof types === 'object' && types !== null
      ? { ...(data as object), instanceTypes: mapValues(types, camelCased) }
      : data;
  const parsed = lockSchema.safeParse(cased);
  if (!parsed.success) {
    refuse('inputs lock', issuesOf(file, parsed.error));
    throw parsed.error;
  }
  return locked(parsed.data);
}

const mapValues = (map: object, change: (value: unknown) => unknown): object =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));

type Facts = z.infer<typeof lockSchema>;

function locked(facts: Facts): LockedInputs {
  const { availabilityZones, ...others } = facts;
  return {
    ...(withoutAbsent(others) as Omit<LockedInputs, 'digest' | 'availabilityZones'>),
    digest: digestOfValue(facts),
    availabilityZones:
      availabilityZones ??
      Object.keys(facts.subnets)
        .filter((zone) => zone !== '*')
        .sort(),
    subnets: withAll(facts.subnets),
    loadBalancerSubnets: withAll(facts.loadBalancerSubnets),
  };
}

const withoutAbsent = (value: object): object =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));

function withAll(subnets: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const zones = Object.keys(subnets).sort();
  if (zones.length === 0 || Object.hasOwn(subnets, '*')) return subnets;
  return { ...subnets, '*': zones.map((zone) => subnets[zone]).join(',') };
}

const PLACEHOLDER_TYPE: InstanceTypeFacts = {
  vcpus: 2,
  memoryBytes: 8 * 2 ** 30,
  architecture: 'amd64',
  storageBytes: 0,
};

/** Made-up facts, enough to render and check everything where no lock is at hand: the same every time. */
export function placeholderLock(tree: ConfigTree, cluster: Cluster): LockedInputs {
  const wanted = lookupsOf(tree, cluster);
  const zones = ['a', 'b', 'c'].map((letter) => `${cluster.region}${letter}`);
  const subnets = (kind: string) =>
    Object.fromEntries(zones.map((zone, index) => [zone, `subnet-${kind}${index + 1}00000000000000`]));
  return locked({
    vpcId: wanted.vpcId ?? 'vpc-00000000000000000',
    vpcIpv4Cidr: '172.31.0.0/16',
    availabilityZones: zones,
    subnets: subnets('a0'),
    loadBalancerSubnets: subnets('b0'),
    etcdKmsKeyArn: `arn:aws:kms:${cluster.region}:${cluster.infrastructureAccount.split(':').at(-1)}:key/00000000-0000-0000-0000-000000000000`,
    images: Object.fromEntries(
      wanted.images.map(({ name, owner }) => [`${name}|${owner}`, 'ami-00000000000000000']),
    ),
    instanceTypes: Object.fromEntries(wanted.instanceTypes.map((type) => [type, PLACEHOLDER_TYPE])),
    decrypted: Object.fromEntries(wanted.cipherTexts.map((text) => [text, 'placeholder'])),
  });
}
