import type { DesiredNodePool, InstanceView, NodeGroupView } from '#fleet';
import type { PoolPreview } from './decision.js';
import type { RollPolicy } from './policy.js';

type MachineKind = Pick<InstanceView, 'instanceType' | 'market'>;

/** What an update asks for one pool beyond what the pool has. Plain JSON. */
export interface PoolDemand {
  readonly pool: string;
  readonly master: boolean;
  /** False for a pool that is still to be made. */
  readonly exists: boolean;
  /** Machines that come to stay. */
  readonly growth: number;
  /** Machines beyond that for the time of the roll, without those that are there already. */
  readonly surge: number;
  /** No node may be missing and none is ahead: not one goes before one more has come. */
  readonly needsSurge: boolean;
  /** The machines that are replaced, in the order in which they go. */
  readonly replaced: readonly MachineKind[];
  /** What new machines may be. */
  readonly instanceTypes: readonly string[];
  readonly market: MachineKind['market'];
  readonly subnetIds: readonly string[];
}

export interface DemandInput {
  readonly pool: Pick<DesiredNodePool, 'name' | 'master' | 'minSize' | 'instanceTypes' | 'discountStrategy'>;
  readonly groups: readonly NodeGroupView[];
  /** Of these groups; none where nothing is known of a roll. */
  readonly rolls: readonly Pick<PoolPreview, 'group' | 'surge' | 'order'>[];
  readonly policy: Pick<RollPolicy, 'strategy' | 'maxUnavailable'>;
  /** Surge that an earlier roll left, by group. */
  readonly owed: Readonly<Record<string, number>>;
  /** Where a pool that is still to be made gets its addresses. */
  readonly newSubnetIds: readonly string[];
}

/** Undefined for a pool that needs nothing. */
export function demandOf(input: DemandInput): PoolDemand | undefined {
  const { pool, groups, rolls, policy } = input;
  const owed = sum(groups.map(({ groupName }) => input.owed[groupName] ?? 0));
  const has = sum(groups.map(({ desiredCapacity }) => desiredCapacity)) - owed;
  const growth = Math.max(0, pool.minSize - has);
  const wanted = sum(rolls.map(({ surge }) => surge));
  const surge = Math.max(0, wanted - owed);
  const market = marketOf(pool.discountStrategy);
  const replaced = rolls.flatMap((roll) => kindsInOrder(roll, groups));
  const otherKind = replaced.some(
    (machine) => machine.market !== market || !pool.instanceTypes.includes(machine.instanceType),
  );
  if (growth === 0 && surge === 0 && !otherKind) return undefined;
  return {
    pool: pool.name,
    master: pool.master,
    exists: groups.length > 0,
    growth,
    surge,
    needsSurge: surge > 0 && owed === 0 && policy.strategy === 'surge' && policy.maxUnavailable === 0,
    replaced,
    instanceTypes: pool.instanceTypes,
    market,
    subnetIds:
      groups.length > 0
        ? [...new Set(groups.flatMap(({ subnetIds = [] }) => subnetIds))].sort()
        : input.newSubnetIds,
  };
}

/** Discount strategies that mean spot, as templates see it (`IsSpot`). */
const SPOT: readonly string[] = ['spot', 'spot_max_price'];

export const marketOf = (discountStrategy: string): MachineKind['market'] =>
  SPOT.includes(discountStrategy) ? 'spot' : 'on-demand';

function kindsInOrder(
  { group, order }: DemandInput['rolls'][number],
  groups: readonly NodeGroupView[],
): readonly MachineKind[] {
  const instances = groups.find(({ groupName }) => groupName === group)?.instances ?? [];
  const kinds = new Map(
    instances.map(({ instanceId, instanceType, market }) => [instanceId, { instanceType, market }]),
  );
  return order.flatMap((id) => kinds.get(id) ?? []);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
