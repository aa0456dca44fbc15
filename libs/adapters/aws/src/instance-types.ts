import { paginateDescribeInstanceTypes, type InstanceTypeInfo } from '@aws-sdk/client-ec2';
import type { InstanceTypeFacts } from '#fleet';
import type { SdkClients } from './sdk-clients.js';

const TYPE_BATCH = 100;

/** Facts of instance types, which never change: each type is asked for once. */
export class InstanceTypes {
  readonly #known = new Map<string, InstanceTypeFacts>();

  constructor(private readonly sdk: SdkClients) {}

  /** By filter: a type that the region does not know is absent instead of failing the others. */
  async describe(wanted: readonly string[]): Promise<Readonly<Record<string, InstanceTypeFacts>>> {
    const missing = [...new Set(wanted)].filter((type) => !this.#known.has(type));
    for (let at = 0; at < missing.length; at += TYPE_BATCH) {
      const input = { Filters: [{ Name: 'instance-type', Values: missing.slice(at, at + TYPE_BATCH) }] };
      for await (const page of paginateDescribeInstanceTypes({ client: this.sdk.ec2 }, input)) {
        for (const one of page.InstanceTypes ?? []) this.#known.set(one.InstanceType ?? '', factsOf(one));
      }
    }
    return Object.fromEntries(
      [...new Set(wanted)].flatMap((type) => {
        const facts = this.#known.get(type);
        return facts ? [[type, facts] as const] : [];
      }),
    );
  }
}

function factsOf(info: InstanceTypeInfo): InstanceTypeFacts {
  const architectures: readonly string[] = info.ProcessorInfo?.SupportedArchitectures ?? [];
  return {
    vcpus: info.VCpuInfo?.DefaultVCpus ?? 0,
    memoryBytes: (info.MemoryInfo?.SizeInMiB ?? 0) * 1024 * 1024,
    // As Kubernetes names them.
    architecture: architectures.some((one) => one.startsWith('arm64')) ? 'arm64' : 'amd64',
    storageBytes: (info.InstanceStorageInfo?.TotalSizeInGB ?? 0) * 1_000_000_000,
  };
}
