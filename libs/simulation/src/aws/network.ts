import { createHash } from 'node:crypto';
import { AwsError } from './aws-error.js';

export interface Subnet {
  readonly id: string;
  readonly vpcId: string;
  readonly zone: string;
  readonly cidr: string;
  readonly role: 'nodes' | 'public';
  readonly tags: Record<string, string>;
}

export interface Vpc {
  readonly id: string;
  readonly cidr: string;
  readonly tags: Record<string, string>;
}

const stableId = (prefix: string, ...parts: readonly string[]): string =>
  `${prefix}-0${createHash('sha256').update(parts.join('/')).digest('hex').slice(0, 16)}`;

/** One VPC per account and region: three zones, each with a subnet for nodes and one for public load balancers. */
export class Network {
  readonly vpc: Vpc;
  readonly subnets: readonly Subnet[];
  readonly zones: readonly string[];
  private readonly taken = new Map<string, number>();

  /** `prefix`: the first two bytes of all addresses. */
  constructor(
    account: string,
    region: string,
    private readonly prefix = '10.0',
  ) {
    this.zones = ['a', 'b', 'c'].map((letter) => `${region}${letter}`);
    this.vpc = {
      id: stableId('vpc', account, region),
      cidr: `${prefix}.0.0/16`,
      tags: { Name: `main-${region}` },
    };
    this.subnets = this.zones.flatMap((zone, index) => [
      this.subnet(account, zone, 'nodes', `${prefix}.${index * 32}.0/19`),
      this.subnet(account, zone, 'public', `${prefix}.${128 + index}.0/24`),
    ]);
  }

  find(subnetId: string): Subnet {
    const subnet = this.subnets.find((candidate) => candidate.id === subnetId);
    if (!subnet) {
      throw new AwsError('InvalidSubnetID.NotFound', `The subnet ID '${subnetId}' does not exist`);
    }
    return subnet;
  }

  /** The next free address of a subnet; addresses are not handed out twice. */
  assignIp(subnet: Subnet): string {
    const used = this.taken.get(subnet.id) ?? 4;
    this.taken.set(subnet.id, used + 1);
    const [, , third] = subnet.cidr.split('.').map(Number) as [number, number, number];
    return `${this.prefix}.${third + (used >> 8)}.${used & 255}`;
  }

  private subnet(account: string, zone: string, role: Subnet['role'], cidr: string): Subnet {
    const roleTag = role === 'nodes' ? 'kubernetes.io/role/internal-elb' : 'kubernetes.io/role/elb';
    return {
      id: stableId('subnet', account, zone, role),
      vpcId: this.vpc.id,
      zone,
      cidr,
      role,
      tags: { Name: `${role}-${zone}`, [roleTag]: '1', 'fairway.dev/role': role },
    };
  }
}
