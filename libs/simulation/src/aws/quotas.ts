import { AwsError } from './aws-error.js';
import { instanceTypes } from './catalog.js';

export interface ServiceQuota {
  readonly code: string;
  readonly name: string;
}

interface VcpuQuota extends ServiceQuota {
  /** Letters before the first digit of the instance types that count. */
  readonly families: readonly string[];
  readonly spot: boolean;
}

const STANDARD = ['a', 'c', 'd', 'h', 'i', 'im', 'is', 'm', 'r', 't', 'z'];

const VCPU_QUOTAS: readonly VcpuQuota[] = [
  quota('L-1216C47A', 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances', STANDARD, false),
  quota('L-34B43A08', 'All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests', STANDARD, true),
  quota('L-DB2E81BA', 'Running On-Demand G and VT instances', ['g', 'gr', 'vt'], false),
  quota('L-3819A6DF', 'All G and VT Spot Instance Requests', ['g', 'gr', 'vt'], true),
  quota('L-417A185B', 'Running On-Demand P instances', ['p'], false),
  quota('L-7295265B', 'Running On-Demand X instances', ['x'], false),
];

/** Of the same service; they count something else. */
const OTHERS: readonly (ServiceQuota & { readonly value: number })[] = [
  { code: 'L-0263D0A3', name: 'EC2-VPC Elastic IPs', value: 5 },
  { code: 'L-3E6EC3A3', name: 'VPN connections per region', value: 50 },
];

/** Nobody is in the way unless somebody asks for it. */
const PLENTY = 100_000;

interface Counted {
  readonly instanceType: string;
  readonly spot: boolean;
  readonly state: string;
}

/** The quotas of service `ec2` in one account and region. */
export class Quotas {
  private readonly set = new Map<string, number>();

  list(): readonly (ServiceQuota & { readonly value: number })[] {
    const vcpus = VCPU_QUOTAS.map(({ code, name }) => ({ code, name, value: this.set.get(code) ?? PLENTY }));
    return [...OTHERS, ...vcpus];
  }

  /** In vCPUs, at once; AWS takes its time and does not lower any. */
  change(code: string, value: number): ServiceQuota & { readonly value: number } {
    const known = VCPU_QUOTAS.find((one) => one.code === code);
    if (!known) throw new AwsError('NoSuchResourceException', `The quota ${code} does not exist.`);
    this.set.set(code, value);
    return { code, name: known.name, value };
  }

  /** Throws what EC2 answers when one machine more would be too many. */
  admit(wanted: Omit<Counted, 'state'>, machines: () => readonly Counted[]): void {
    const code = quotaOf(wanted)?.code;
    const limit = code === undefined ? undefined : this.set.get(code);
    if (limit === undefined) return;
    const used = machines()
      .filter((one) => (one.state === 'pending' || one.state === 'running') && quotaOf(one)?.code === code)
      .reduce((sum, { instanceType }) => sum + vcpusOf(instanceType), 0);
    if (used + vcpusOf(wanted.instanceType) <= limit) return;
    throw wanted.spot
      ? new AwsError('MaxSpotInstanceCountExceeded', 'Max spot instance count exceeded')
      : new AwsError(
          'VcpuLimitExceeded',
          `You have requested more vCPU capacity than your current vCPU limit of ${limit} allows for the instance bucket that the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.`,
        );
  }
}

const vcpusOf = (instanceType: string): number => instanceTypes.get(instanceType)?.vcpus ?? 0;

function quotaOf({ instanceType, spot }: Omit<Counted, 'state'>): VcpuQuota | undefined {
  const [family = ''] = /^[a-z]+/.exec(instanceType) ?? [];
  return VCPU_QUOTAS.find((one) => one.spot === spot && one.families.includes(family));
}

function quota(code: string, name: string, families: readonly string[], spot: boolean): VcpuQuota {
  return { code, name, families, spot };
}
