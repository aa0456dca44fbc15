import { paginateDescribeInstances, paginateDescribeSubnets, type Instance } from '@aws-sdk/client-ec2';
import { paginateListServiceQuotas } from '@aws-sdk/client-service-quotas';
import { FailureError, seconds, type Clock, type Duration, type Instant } from '#kernel';
import type { VcpuPrice, VcpuQuota, VcpuSupply } from '#fleet';
import type { InstanceTypes } from './instance-types.js';
import type { SdkClients } from './sdk-clients.js';
import { quotaCodesOf, VCPU_QUOTA_CODES } from './vcpu-quotas.js';

/** EC2 takes this many values in one filter. */
const SUBNET_BATCH = 200;

/** Machines come and go faster than quotas do. */
const USAGE_FRESH: Duration = seconds(30);

/** One look serves all clusters of the account and region; a look that failed serves nobody. */
class Recent<T> {
  #taken: { readonly at: Instant; readonly value: Promise<T> } | undefined;

  constructor(private readonly look: () => Promise<T>) {}

  at(now: Instant, maxAge: Duration): Promise<T> {
    if (this.#taken && now - this.#taken.at < maxAge) return this.#taken.value;
    const taken = { at: now, value: this.look() };
    this.#taken = taken;
    taken.value.catch(() => {
      if (this.#taken === taken) this.#taken = undefined;
    });
    return taken.value;
  }
}

/** What an account may still launch in a region: its vCPU quotas, what runs under them, and free addresses. */
export class VcpuSupplies {
  readonly #limits = new Recent(() => this.#readLimits());
  readonly #used = new Recent(() => this.#countUsed());

  constructor(
    private readonly sdk: SdkClients,
    private readonly types: InstanceTypes,
    private readonly clock: Clock,
  ) {}

  async supply(instanceTypes: readonly string[], maxAge: Duration): Promise<VcpuSupply> {
    const now = this.clock.now();
    // First whether the quotas can be read at all: only then is it worth counting machines.
    const limits = await this.#limits.at(now, maxAge);
    const used = await this.#used.at(now, Math.min(maxAge, USAGE_FRESH));
    const facts = await this.types.describe(instanceTypes);
    const quotas = limits.map((quota) => ({ ...quota, used: used.get(quota.code) ?? 0 }));
    const prices = Object.entries(facts).map(([type, { vcpus }]): readonly [string, VcpuPrice] => [
      type,
      { vcpus, ...quotaCodesOf(type) },
    ]);
    return { quotas, types: Object.fromEntries(prices) };
  }

  /** By filter, because one unknown id in a list of ids would fail the whole call. */
  async freeAddresses(subnetIds: readonly string[]): Promise<Readonly<Record<string, number>>> {
    const free: Record<string, number> = {};
    for (let at = 0; at < subnetIds.length; at += SUBNET_BATCH) {
      const input = { Filters: [{ Name: 'subnet-id', Values: subnetIds.slice(at, at + SUBNET_BATCH) }] };
      for await (const page of paginateDescribeSubnets({ client: this.sdk.ec2 }, input)) {
        for (const { SubnetId: id, AvailableIpAddressCount: count } of page.Subnets ?? [])
          if (id !== undefined && count !== undefined) free[id] = count;
      }
    }
    return free;
  }

  /** Quotas for which AWS names no applied value are absent. */
  async #readLimits(): Promise<readonly Omit<VcpuQuota, 'used'>[]> {
    const limits: Omit<VcpuQuota, 'used'>[] = [];
    const pages = paginateListServiceQuotas(
      { client: this.sdk.serviceQuotas, pageSize: 100 },
      { ServiceCode: 'ec2' },
    );
    for await (const page of pages) {
      for (const { QuotaCode: code, QuotaName: name, Value: limit, ErrorReason } of page.Quotas ?? []) {
        if (code === undefined || limit === undefined || ErrorReason || !VCPU_QUOTA_CODES.has(code)) continue;
        limits.push({ code, name: name ?? code, limit });
      }
    }
    return limits;
  }

  /**
   * By code. Counted are machines that run or start, with the vCPUs that their type has by default, whatever their CPU
   * options; those on dedicated hosts are not. Unused capacity reservations count for AWS and are not seen here.
   */
  async #countUsed(): Promise<ReadonlyMap<string, number>> {
    const machines: Instance[] = [];
    const input = { Filters: [{ Name: 'instance-state-name', Values: ['pending', 'running'] }] };
    for await (const page of paginateDescribeInstances({ client: this.sdk.ec2, pageSize: 1000 }, input)) {
      for (const { Instances = [] } of page.Reservations ?? [])
        machines.push(...Instances.filter(({ Placement }) => Placement?.Tenancy !== 'host'));
    }
    const facts = await this.types.describe(machines.map(({ InstanceType }) => InstanceType ?? ''));
    const used = new Map<string, number>();
    for (const { InstanceType: type = '', InstanceLifecycle } of machines) {
      const codes = quotaCodesOf(type);
      const code = InstanceLifecycle === 'spot' ? codes.spot : codes.onDemand;
      if (code === undefined) continue;
      const vcpus = facts[type]?.vcpus;
      if (vcpus === undefined) throw unknownType(type);
      used.set(code, (used.get(code) ?? 0) + vcpus);
    }
    return used;
  }
}

/** A sum that leaves machines out would say that there is room. */
const unknownType = (type: string): FailureError =>
  new FailureError({
    class: 'conflict',
    code: 'instance-type-unknown',
    message: `machines of type ${type} run, and EC2 does not say how many vCPUs they have`,
  });
