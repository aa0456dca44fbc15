import type { LockedInputs, NodePool } from '#fleet';
import { hostedZoneOf } from '../model/cluster.model.js';
import { instanceInfo } from '../model/instance-info.model.js';
import { anyMap, bool, str, stringMap, strings } from '../template/values.js';
import type { GoValue } from '../template/types.js';
import { toBytes } from '../template/bytes.js';
import type { EffectiveConfig } from './effective-config.js';

export type Values = ReadonlyMap<string, GoValue>;

const ALL = '*';

interface Zones {
  readonly subnets: Readonly<Record<string, string>>;
  readonly zones: readonly string[];
}

/** Subnets of the wanted zones, and `*` → all of them in order of zones. */
function restrict(subnets: Readonly<Record<string, string>>, wanted: string | undefined): Zones {
  const chosen = wanted === undefined ? undefined : new Set(wanted.split(','));
  const zones = Object.keys(subnets)
    .filter((zone) => zone !== ALL && (!chosen || chosen.has(zone)))
    .sort();
  const entries = zones.map((zone): [string, string] => [zone, subnets[zone] as string]);
  const all: [string, string][] = zones.length > 0 ? [[ALL, entries.map(([, id]) => id).join(',')]] : [];
  return { zones, subnets: Object.fromEntries([...entries, ...all]) };
}

/** `.Values` of everything but pools. */
export function clusterValues(config: EffectiveConfig, inputs: LockedInputs): Values {
  const wanted = config.items['availability_zones'];
  const nodes = restrict(inputs.subnets, wanted);
  const zones = Object.keys(inputs.subnets).length > 0 ? nodes.zones : inputs.availabilityZones;
  const zone = inputs.hostedZone ?? hostedZoneOf(config.cluster.apiServerUrl) ?? '';
  return new Map<string, GoValue>([
    ['subnets', stringMap(nodes.subnets)],
    ['availability_zones', strings(zones)],
    ['subnet_ipv6_cidrs', str((inputs.subnetIpv6Cidrs ?? []).join(','))],
    ['lb_subnets', stringMap(restrict(inputs.loadBalancerSubnets, wanted).subnets)],
    [
      'internal_node_subnets',
      stringMap(restrict(inputs.internalNodeSubnets ?? inputs.subnets, wanted).subnets),
    ],
    ['pod_subnets', stringMap(restrict(inputs.podSubnets ?? inputs.subnets, undefined).subnets)],
    ['hosted_zone', str(zone)],
    ['load_balancer_certificate', str(inputs.loadBalancerCertificate ?? '')],
    ['vpc_ipv4_cidr', str(inputs.vpcIpv4Cidr ?? '')],
    ['vpc_ipv6_cidrs', strings(inputs.vpcIpv6Cidrs ?? [])],
    ...(inputs.etcdKmsKeyArn === undefined ? [] : [['etcd_kms_key_arn', str(inputs.etcdKmsKeyArn)] as const]),
  ]);
}

export const withValue = (values: Values, name: string, value: GoValue): Values =>
  new Map([...values, [name, value]]);

/** `.Values` of one pool, or the instance type that is not known. */
export function poolValues(
  values: Values,
  pool: NodePool,
  inputs: LockedInputs,
): { readonly values: Values } | { readonly missing: string } {
  const info = instanceInfo(pool.instanceTypes, inputs.instanceTypes);
  if ('missing' in info) return info;
  const result = new Map(values);
  result.set('InstanceInfo', info.value);
  result.set('supports_t2_unlimited', bool(pool.instanceTypes.every((type) => type.startsWith('t2.'))));
  const wanted = Object.hasOwn(pool.configItems, 'availability_zones')
    ? pool.configItems['availability_zones']
    : undefined;
  if (wanted !== undefined) {
    const { subnets, zones } = restrict(inputs.subnets, wanted);
    result.set('subnets', stringMap(subnets));
    result.set('availability_zones', strings(zones));
  }
  return { values: result };
}

export const asData = (values: Values): GoValue =>
  anyMap(new Map([...values].map(([name, value]) => [toBytes(name), value])));
