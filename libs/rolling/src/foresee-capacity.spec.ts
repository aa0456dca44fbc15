import type { CapacityView, NodeGroupView, VcpuPrice } from '#fleet';
import { describe, expect, it } from 'vitest';
import { demandOf, type DemandInput, type PoolDemand } from './capacity-demand.js';
import { foreseeCapacity } from './foresee-capacity.js';

const STANDARD = 'L-1216C47A';
const SPOT = 'L-34B43A08';
const GRAPHICS = 'L-DB2E81BA';
const standard = (vcpus: number): VcpuPrice => ({ vcpus, onDemand: STANDARD, spot: SPOT });
const types: Readonly<Record<string, VcpuPrice>> = {
  'm5.large': standard(2),
  'm5.xlarge': standard(4),
  'm5.2xlarge': standard(8),
  'g5.xlarge': { vcpus: 4, onDemand: GRAPHICS },
  'mac1.metal': { vcpus: 12 },
};
const names: Readonly<Record<string, string>> = {
  [STANDARD]: 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances',
  [SPOT]: 'All Standard Spot Instance Requests',
  [GRAPHICS]: 'Running On-Demand G and VT instances',
};

const view = (
  limits: Readonly<Record<string, readonly [limit: number, used: number]>>,
  addresses: Readonly<Record<string, number>> = { 'subnet-a': 100, 'subnet-b': 100 },
): CapacityView => ({
  account: '123456789012',
  region: 'eu-central-1',
  owner: 'team-shop',
  vcpus: {
    known: true,
    value: {
      types,
      quotas: Object.entries(limits).map(([code, [limit, used]]) => ({
        code,
        name: names[code] ?? code,
        limit,
        used,
      })),
    },
  },
  addresses: { known: true, value: addresses },
});

const machines = (count: number, instanceType = 'm5.xlarge', market: 'on-demand' | 'spot' = 'on-demand') =>
  Array.from({ length: count }, () => ({ instanceType, market }));

const roll = (more: Partial<PoolDemand> = {}): PoolDemand => ({
  pool: 'workers',
  master: false,
  exists: true,
  growth: 0,
  surge: 1,
  needsSurge: true,
  replaced: machines(5),
  instanceTypes: ['m5.xlarge'],
  market: 'on-demand',
  subnetIds: ['subnet-a', 'subnet-b'],
  ...more,
});

const told = (demands: readonly PoolDemand[], seen: CapacityView): readonly string[] => {
  const { findings, unknown } = foreseeCapacity(demands, seen);
  return [
    ...findings.map(({ stops, what }) => `${stops ? 'stops' : 'foreseen'}: ${what}`),
    ...unknown.map(({ what }) => `not known: ${what}`),
  ];
};

describe('foreseeCapacity', () => {
  it.each<[string, readonly PoolDemand[], CapacityView, readonly RegExp[]]>([
    ['nothing is asked for', [], view({ [STANDARD]: [0, 0] }), []],
    ['it fits exactly', [roll()], view({ [STANDARD]: [24, 20] }), []],
    [
      'a surge of four where two fit goes on with two',
      [roll({ surge: 4 })],
      view({ [STANDARD]: [256, 248] }),
      [
        /^foreseen: the roll of workers needs 16 more vCPUs at the peak; "Running On-Demand Standard .*" allows 256 in account 123456789012 \(eu-central-1\), 248 run: room for at most 2 more m5\.xlarge\.$/,
      ],
    ],
    [
      'not one fits, and one has to come first',
      [roll()],
      view({ [STANDARD]: [23, 20] }),
      [/^stops: .* needs 4 more vCPUs .*: not even one more m5\.xlarge \(4 vCPUs\)\.$/],
    ],
    [
      'not one fits, and a node may be missing',
      [roll({ needsSurge: false })],
      view({ [STANDARD]: [20, 20] }),
      [/^foreseen: .*not even one more/],
    ],
    [
      'more runs than is allowed',
      [roll()],
      view({ [STANDARD]: [16, 20] }),
      [/^stops: .*allows 16 .*20 run: not even one/],
    ],
    [
      'a new pool of which one fits',
      [roll({ pool: 'gpu', exists: false, growth: 3, surge: 0, needsSurge: false, replaced: [] })],
      view({ [STANDARD]: [30, 24] }),
      [/^foreseen: the new pool gpu \(3 machines\) needs 12 more vCPUs .* room for at most 1 more/],
    ],
    [
      'a new pool of which none fits',
      [roll({ pool: 'gpu', exists: false, growth: 1, surge: 0, needsSurge: false, replaced: [] })],
      view({ [STANDARD]: [24, 24] }),
      [/^stops: the new pool gpu \(1 machine\) needs 4 /],
    ],
    [
      'a larger minimum',
      [roll({ growth: 2, surge: 0, needsSurge: false, replaced: [] })],
      view({ [STANDARD]: [24, 20] }),
      [/^foreseen: workers growing by 2 needs 8 more/],
    ],
    [
      'worker pools roll at the same time',
      [roll({ pool: 'a' }), roll({ pool: 'b' })],
      view({ [STANDARD]: [44, 40] }),
      [/^foreseen: the rolls of a and b need 8 more vCPUs .* at most 1 more/],
    ],
    [
      'masters and workers do not',
      [roll({ pool: 'masters', master: true }), roll()],
      view({ [STANDARD]: [44, 40] }),
      [],
    ],
    [
      'a larger type: old ones give back what they have',
      [roll({ replaced: machines(3, 'm5.large') })],
      view({ [STANDARD]: [13, 6] }),
      [/^foreseen: .* needs 8 more/],
    ],
    [
      'a smaller type needs its surge at the beginning',
      [roll({ instanceTypes: ['m5.large'] })],
      view({ [STANDARD]: [22, 20] }),
      [],
    ],
    [
      'another market gives nothing back',
      [roll({ market: 'spot' })],
      view({ [STANDARD]: [20, 20], [SPOT]: [16, 0] }),
      [/^foreseen: .* needs 20 more .*"All Standard Spot Instance Requests" allows 16 .*at most 4 more/],
    ],
    [
      'of several types the smallest is enough',
      [roll({ instanceTypes: ['m5.2xlarge', 'm5.xlarge'] })],
      view({ [STANDARD]: [24, 20] }),
      [],
    ],
    [
      'of several quotas the one with room',
      [roll({ instanceTypes: ['m5.xlarge', 'g5.xlarge'] })],
      view({ [STANDARD]: [20, 20], [GRAPHICS]: [64, 0] }),
      [],
    ],
    [
      'a type that no quota is known for',
      [roll({ instanceTypes: ['mac1.metal'] })],
      view({ [STANDARD]: [0, 0] }),
      [/^not known: .* allow workers: none is known for mac1\.metal on-demand$/],
    ],
    [
      'one of several types that no quota is known for',
      [roll({ instanceTypes: ['m5.xlarge', 'mac1.metal'] })],
      view({ [STANDARD]: [20, 20] }),
      [/^not known: /],
    ],
    [
      'a quota without value',
      [roll()],
      view({ [GRAPHICS]: [64, 0] }),
      [/^not known: .*none is known for m5\.xlarge on-demand$/],
    ],
    [
      'full subnets',
      [roll()],
      view({ [STANDARD]: [100, 0] }, { 'subnet-a': 0, 'subnet-b': 0 }),
      [/^stops: the roll of workers needs 1 more address at the peak; subnet-a, subnet-b have 0 free\.$/],
    ],
    [
      'subnets with too little',
      [roll({ surge: 3 })],
      view({ [STANDARD]: [100, 0] }, { 'subnet-a': 2, 'subnet-b': 0 }),
      [/^foreseen: .* needs 3 more addresses .* have 2 free/],
    ],
    [
      'a subnet that is gone',
      [roll()],
      view({ [STANDARD]: [100, 0] }, { 'subnet-a': 0 }),
      [/^not known: whether subnet-a, subnet-b have addresses/],
    ],
  ])('%s', (_name, demands, seen, expected) => {
    const lines = told(demands, seen);
    expect(lines).toHaveLength(expected.length);
    for (const [at, pattern] of expected.entries()) expect(lines[at]).toMatch(pattern);
  });

  it('says what unblocks a roll, and who answers for the account', () => {
    const { findings } = foreseeCapacity([roll()], view({ [STANDARD]: [20, 20] }));
    expect(findings[0]).toMatchObject({ code: 'quota-exceeded', owner: 'team-shop', pools: ['workers'] });
    expect(findings[0]?.remedy).toBe(
      'Have AWS raise quota L-1216C47A there to 24 or more, or free machines of the account, or let workers do with one node less while it rolls (config items max_surge: "0", max_unavailable: "1").',
    );
  });

  it.each([
    ['no master less', [roll({ pool: 'masters', master: true })]],
    ['nothing that is not enough', [roll({ pool: 'masters', master: true }), roll()]],
  ])('recommends %s', (_name, demands) => {
    const { findings } = foreseeCapacity(demands, view({ [STANDARD]: [20, 20] }));
    expect(findings[0]?.remedy).toBe(
      'Have AWS raise quota L-1216C47A there to 24 or more, or free machines of the account.',
    );
    expect(findings[0]?.brief).toBe(
      'quota L-1216C47A of account 123456789012 (eu-central-1): 20 of 20 vCPUs run, not even one more m5.xlarge (4 vCPUs)',
    );
  });

  it('does not know what could not be read, and does not call it enough or too little', () => {
    const unreadable: CapacityView = {
      ...view({}),
      vcpus: { known: false, why: 'AccessDenied' },
      addresses: { known: false, why: 'throttled' },
    };
    expect(told([roll()], unreadable)).toEqual([
      'not known: whether the vCPU quotas of account 123456789012 (eu-central-1) allow the roll of workers: AccessDenied',
      'not known: whether the subnets have addresses for the roll of workers: throttled',
    ]);
  });
});

describe('demandOf', () => {
  const group = (desiredCapacity: number, instanceTypes = ['m5.xlarge', 'm5.xlarge']): NodeGroupView =>
    ({
      groupName: 'asg',
      desiredCapacity,
      subnetIds: ['subnet-a'],
      instances: instanceTypes.map((instanceType, at) => ({
        instanceId: `i-${at}`,
        instanceType,
        market: 'on-demand',
      })),
    }) as unknown as NodeGroupView;
  const pool = {
    name: 'workers',
    master: false,
    minSize: 2,
    instanceTypes: ['m5.xlarge'],
    discountStrategy: 'none',
  };
  const input = (more: Partial<DemandInput> = {}): DemandInput => ({
    pool,
    groups: [group(2)],
    rolls: [],
    policy: { strategy: 'surge', maxUnavailable: 0 },
    owed: {},
    newSubnetIds: ['subnet-new'],
    ...more,
  });
  const rolls = [{ group: 'asg', surge: 1, order: ['i-0', 'i-1'] }];

  it.each<[string, Partial<DemandInput>, Partial<PoolDemand> | undefined]>([
    ['nothing', {}, undefined],
    ['a roll', { rolls }, { growth: 0, surge: 1, needsSurge: true, exists: true, subnetIds: ['subnet-a'] }],
    ['a surge that is there already', { rolls, groups: [group(3)], owed: { asg: 1 } }, undefined],
    [
      'one that is there in part',
      {
        rolls: [{ group: 'asg', surge: 2, order: ['i-0'] }],
        groups: [group(3)],
        owed: { asg: 1 },
      },
      { surge: 1, needsSurge: false },
    ],
    [
      'a node may be missing',
      { rolls, policy: { strategy: 'surge', maxUnavailable: 1 } },
      { needsSurge: false },
    ],
    ['a larger minimum', { pool: { ...pool, minSize: 5 } }, { growth: 3, surge: 0, needsSurge: false }],
    [
      'a larger minimum than what others want',
      { pool: { ...pool, minSize: 3 }, groups: [group(3)], owed: { asg: 1 } },
      { growth: 1 },
    ],
    ['a new pool', { groups: [] }, { growth: 2, exists: false, subnetIds: ['subnet-new'] }],
    [
      'another type without surge',
      {
        rolls: [{ group: 'asg', surge: 0, order: ['i-0'] }],
        pool: { ...pool, instanceTypes: ['m5.2xlarge'] },
      },
      { surge: 0, replaced: [{ instanceType: 'm5.xlarge', market: 'on-demand' }] },
    ],
    [
      'another market',
      {
        rolls: [{ group: 'asg', surge: 0, order: ['i-0'] }],
        pool: { ...pool, discountStrategy: 'spot' },
      },
      { market: 'spot' },
    ],
  ])('%s', (_name, more, expected) => {
    const demand = demandOf(input(more));
    if (expected === undefined) expect(demand).toBeUndefined();
    else expect(demand).toMatchObject(expected);
  });
});
