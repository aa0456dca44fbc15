import { minutes, type Duration } from '#kernel';
import type { CapacityView, DesiredNodePool, NodeGroupView, PlannedStack, Sighting } from '#fleet';
import {
  demandOf,
  foreseeCapacity,
  readRollMemory,
  type CapacityForecast,
  type PoolDemand,
  type RollPreview,
} from '#rolling';
import { attempt } from '../doctor/reading.js';
import type { Pass } from '../pass/pass.js';
import type { PoolPolicies } from '../steps/roll-policy.js';
import { rollMemoryKey } from '../steps/roll-requests.js';

/** Quotas move slowly, and a plan that is a few minutes wrong is corrected by AWS itself. */
export const QUOTAS_FRESH: Duration = minutes(5);

/** What the update needs for each of its pools beyond what runs. From what was seen already; asks nobody. */
export function demandsOf(
  pass: Pass,
  stacks: readonly PlannedStack[],
  groups: readonly NodeGroupView[],
  policies: PoolPolicies,
  preview: RollPreview | undefined,
): readonly PoolDemand[] {
  const owed = surgeOwed(pass);
  const { inputs } = pass;
  return pass.desired.nodePools.flatMap((pool) => {
    const own = groups.filter((group) => group.pool === pool.name);
    // Nothing is known of a pool whose group is not seen though its stack stands.
    if (own.length === 0 && !isNew(pool, stacks)) return [];
    const policy = policies.byPool.get(pool.name) ?? policies.scope;
    const rolls = (preview?.pools ?? []).filter((roll) => roll.pool === pool.name);
    const newSubnetIds = (inputs.subnets['*'] ?? '').split(',').filter((id) => id !== '');
    return demandOf({ pool, groups: own, rolls, policy, owed, newSubnetIds }) ?? [];
  });
}

const isNew = (pool: DesiredNodePool, stacks: readonly PlannedStack[]): boolean =>
  stacks.some(({ name, action }) => name === pool.stack.name && action === 'create');

/** Machines that a roll that was overtaken had ahead: the next one begins with them. */
function surgeOwed(pass: Pass): Readonly<Record<string, number>> {
  const memories = (['control-plane', 'node-pools'] as const).map((step) =>
    readRollMemory(pass.memory.get(rollMemoryKey(step)), pass.update.id),
  );
  return Object.fromEntries(
    memories.flatMap(({ pools }) =>
      Object.entries(pools).map(([group, memory]) => [group, memory.surgeOwed]),
    ),
  );
}

/** What of it the account has no room for. Without a demand AWS is not asked. */
export async function foresee(
  pass: Pick<Pass, 'aws' | 'account' | 'cluster'>,
  demands: readonly PoolDemand[],
  maxAge: Duration,
): Promise<CapacityForecast> {
  return demands.length === 0
    ? NOTHING
    : foreseeCapacity(demands, await lookAtCapacity(pass, demands, maxAge));
}

const NOTHING: CapacityForecast = { findings: [], unknown: [] };

export async function lookAtCapacity(
  { aws, account, cluster }: Pick<Pass, 'aws' | 'account' | 'cluster'>,
  demands: readonly PoolDemand[],
  maxAge: Duration,
): Promise<CapacityView> {
  const types = demands.flatMap(({ instanceTypes, replaced }) => [
    ...instanceTypes,
    ...replaced.map(({ instanceType }) => instanceType),
  ]);
  const subnets = demands.flatMap(({ subnetIds }) => subnetIds);
  const [vcpus, addresses] = await Promise.all([
    sighted('quotas', () => aws.vcpuSupply([...new Set(types)], maxAge)),
    sighted('subnets', () => aws.freeAddresses([...new Set(subnets)])),
  ]);
  const { externalId, owner } = account;
  return { account: externalId, region: cluster.region, owner, vcpus, addresses };
}

async function sighted<T>(what: string, look: () => Promise<T>): Promise<Sighting<T>> {
  const reading = await attempt(what, look);
  return reading.state === 'read'
    ? { known: true, value: reading.value }
    : { known: false, why: reading.why };
}
