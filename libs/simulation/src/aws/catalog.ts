import type { Instant } from '#kernel';

export interface MachineImage {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly kubernetesVersion?: string;
  /** False: machines of this image start, but no node ever registers. */
  readonly joins: boolean;
  readonly createdAt: Instant;
  readonly architecture: 'x86_64' | 'arm64';
}

export const IMAGE_OWNER = '861068367966';

const image = (
  id: string,
  name: string,
  kubernetesVersion: string,
  day: number,
  joins = true,
): MachineImage => ({
  id,
  name,
  owner: IMAGE_OWNER,
  kubernetesVersion,
  joins,
  createdAt: Date.UTC(2025, 10, day),
  architecture: 'x86_64',
});

/** The node images of the estate. Unlike in AWS an image has the same id in every region. */
export const defaultImages: readonly MachineImage[] = [
  image('ami-0a1310000000000a1', 'fairway-node-1.31.4-20251103', '1.31.4', 3),
  image('ami-0a1310000000000a2', 'fairway-node-1.31.4-20251117', '1.31.4', 17),
  image('ami-0a1320000000000b1', 'fairway-node-1.32.1-20251124', '1.32.1', 24),
  image('ami-0bad00000000000bd', 'fairway-node-1.31.4-20251125-broken', '1.31.4', 25, false),
];

export interface InstanceType {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly architecture: 'x86_64' | 'arm64';
}

const SIZES: readonly (readonly [string, number])[] = [
  ['large', 2],
  ['xlarge', 4],
  ['2xlarge', 8],
  ['4xlarge', 16],
  ['8xlarge', 32],
];
const FAMILIES: readonly (readonly [string, number, InstanceType['architecture']])[] = [
  ['c5', 2, 'x86_64'],
  ['c6i', 2, 'x86_64'],
  ['m5', 4, 'x86_64'],
  ['m6i', 4, 'x86_64'],
  ['m6g', 4, 'arm64'],
  ['m7i', 4, 'x86_64'],
  ['r5', 8, 'x86_64'],
  ['r6i', 8, 'x86_64'],
];

/** Memory is GiB per vCPU of the family times vCPUs. */
export const instanceTypes: ReadonlyMap<string, InstanceType> = new Map(
  [
    ...FAMILIES.flatMap(([family, ratio, architecture]) =>
      SIZES.map(([size, vcpus]) => ({
        name: `${family}.${size}`,
        vcpus,
        memoryMiB: vcpus * ratio * 1024,
        architecture,
      })),
    ),
    { name: 't3.small', vcpus: 2, memoryMiB: 2048, architecture: 'x86_64' as const },
    { name: 't3.medium', vcpus: 2, memoryMiB: 4096, architecture: 'x86_64' as const },
    { name: 't3.large', vcpus: 2, memoryMiB: 8192, architecture: 'x86_64' as const },
  ].map((type) => [type.name, type]),
);
