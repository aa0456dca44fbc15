import type { Subnet } from '@aws-sdk/client-ec2';

const PUBLIC_ROLE = 'kubernetes.io/role/elb';
const INTERNAL_ROLE = 'kubernetes.io/role/internal-elb';

/**
 * Which subnets are for nodes and which for public load balancers, by the role tags that Kubernetes' cloud provider
 * reads (value `1` or empty). Nodes live in the internal ones; in a VPC without internal ones they live wherever there
 * is no public role; in a VPC without any tags everything is for everybody. Sorted by zone and id.
 */
export function lockSubnets(subnets: readonly Subnet[]): {
  readonly nodes: readonly Subnet[];
  readonly loadBalancers: readonly Subnet[];
} {
  const usable = subnets.filter((one) => one.State === undefined || one.State === 'available').sort(inOrder);
  const internal = usable.filter((one) => hasRole(one, INTERNAL_ROLE));
  const open = usable.filter((one) => hasRole(one, PUBLIC_ROLE));
  const others = usable.filter((one) => !hasRole(one, PUBLIC_ROLE));
  return {
    nodes: firstOf(internal, others, usable),
    loadBalancers: firstOf(open, usable),
  };
}

export const zonesOf = (subnets: readonly Subnet[]): readonly string[] =>
  [...new Set(subnets.map((one) => one.AvailabilityZone ?? ''))].sort();

const firstOf = <T>(...candidates: readonly (readonly T[])[]): readonly T[] =>
  candidates.find((one) => one.length > 0) ?? [];

const hasRole = (subnet: Subnet, role: string): boolean =>
  subnet.Tags?.some(({ Key, Value }) => Key === role && Value !== '0' && Value !== 'false') ?? false;

const inOrder = (a: Subnet, b: Subnet): number => {
  const [left, right] = [a, b].map((one) => `${one.AvailabilityZone ?? ''} ${one.SubnetId ?? ''}`) as [
    string,
    string,
  ];
  return left < right ? -1 : left > right ? 1 : 0;
};
